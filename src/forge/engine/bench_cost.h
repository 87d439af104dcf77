// What a model's steps must read and compute at least.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::engine {

/// The type of product that most of the layers' matrices are multiplied with.
enum class ProductKind { kInt8, kBf16, kF32 };

struct StepCost {
  int64_t weight_bytes = 0;      // matrices of the layers and the head (a tied embedding is the
                                 // head), as stored
  int64_t layer_parameters = 0;  // of the layers' matrices
  int64_t parameters = 0;        // of all matrices, the embedding included
  ProductKind product = ProductKind::kF32;
  std::vector<DType> dtypes;  // that matrices are stored in, each once
};

/// As a decoder with these options stores the matrices.
[[nodiscard]] StepCost step_cost(const models::Model& model, const models::BackendOptions& backend);

/// Bytes of keys and values that one token at a position attends to, all layers.
[[nodiscard]] double kv_bytes_read(const models::ModelSpec& spec, int64_t kv_bytes_per_token,
                                   double n_tokens);
/// Operations of attention for one token with n_tokens in sight: scores and their products with the
/// values.
[[nodiscard]] double attention_operations(const models::ModelSpec& spec, double n_tokens);

}  // namespace forge::engine
