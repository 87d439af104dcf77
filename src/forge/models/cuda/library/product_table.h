// What is known of products on a device: how long each takes, by what.
#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "forge/kernels/cuda/cublaslt/api.h"
#include "forge/kernels/cuda/weights/packed_matrix.h"

namespace forge::models::cuda {

/// A matrix, and a step's size: library_bucket().
struct ProductKey {
  kernels::cuda::WeightKind kind = kernels::cuda::WeightKind::kPlain;
  int32_t rows = 0;
  int32_t columns = 0;
  int32_t n_tokens = 0;

  friend auto operator<=>(const ProductKey&, const ProductKey&) = default;
};

struct ProductChoice {
  int64_t own_ns = 0;      // of Forge's own kernels
  int64_t library_ns = 0;  // of cuBLASLt, with unpacking and finishing
  int32_t slab_rows = 0;
  kernels::cuda::cublaslt::Algorithm algorithm = {};       // of every slab but a smaller last one
  kernels::cuda::cublaslt::Algorithm last_algorithm = {};  // of that

  [[nodiscard]] bool is_quicker() const { return library_ns < own_ns; }
};

using ProductTable = std::map<ProductKey, ProductChoice>;

}  // namespace forge::models::cuda
