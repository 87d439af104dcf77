// The tensors of a model by what they do, for inspect.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "forge/models/weights.h"
#include "forge/tensor/view.h"

namespace forge::cli {

/// All tensors of one role: attn_q of every layer, or the one output matrix.
struct TensorClass {
  std::string role;
  Shape shape;                        // of one tensor; all layers have the same
  std::map<DType, int32_t> by_dtype;  // how many of each type
  int64_t bytes = 0;
};

/// Roles in the order a token meets them; those the model does not have are left out. A tied output
/// matrix is the embedding and not listed again.
[[nodiscard]] std::vector<TensorClass> tensor_classes(const models::ModelWeights& weights);

/// "Q8_0 x 5", or "Q4_K x 3, Q6_K x 2".
[[nodiscard]] std::string describe_dtypes(const TensorClass& tensor_class);

}  // namespace forge::cli
