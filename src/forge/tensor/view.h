// Views: tensors that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/base/check.h"
#include "forge/tensor/dtype.h"
#include "forge/tensor/shape.h"

namespace forge {

/// A read-only tensor in any storage type: rows of shape.columns() elements, one after another
/// without gaps. Alignment is whatever the file gave: kernels load bytes.
struct TensorView {
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;

  [[nodiscard]] bool is_missing() const { return data == nullptr; }
  [[nodiscard]] int64_t rows() const { return shape.rows(); }
  [[nodiscard]] int64_t columns() const { return shape.columns(); }
  /// Bytes of one row; the view is well formed, so this always exists.
  [[nodiscard]] int64_t bytes_per_row() const {
    const auto bytes = row_bytes(dtype, columns());
    FORGE_CHECK(bytes.has_value(), "{} row of {}", name(dtype), columns());
    return *bytes;
  }
  [[nodiscard]] int64_t bytes() const { return rows() * bytes_per_row(); }
  [[nodiscard]] const std::byte* row(int64_t r) const { return data + r * bytes_per_row(); }
};

/// A matrix of activations: f32, row-major, rows row_stride elements apart.
struct ActivationView {
  float* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t row_stride = 0;

  [[nodiscard]] float* row(int64_t r) const { return data + r * row_stride; }
};

}  // namespace forge
