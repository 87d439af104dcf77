// Shape of a tensor.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>

#include "forge/base/check.h"

namespace forge {

/// Up to four dimensions, outermost first as PyTorch writes them: a weight matrix is (rows,
/// columns) with the columns contiguous. GGUF files list the same dimensions innermost first; the
/// reader turns them round.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) {
    FORGE_CHECK(dims.size() <= kMaxRank, "rank {}", dims.size());
    for (const int64_t dim : dims) dims_[static_cast<size_t>(rank_++)] = dim;
  }

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int64_t operator[](int i) const { return dims_[static_cast<size_t>(i)]; }
  /// Adds an innermost dimension.
  void push_back(int64_t dim) {
    FORGE_CHECK(rank_ < kMaxRank, "rank {}", rank_);
    dims_[static_cast<size_t>(rank_++)] = dim;
  }
  /// The innermost dimension, 1 for a scalar.
  [[nodiscard]] int64_t columns() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }
  /// All dimensions but the innermost, multiplied. Only for shapes whose numel() is known to fit.
  [[nodiscard]] int64_t rows() const {
    int64_t product = 1;
    for (int i = 0; i + 1 < rank_; ++i) product *= (*this)[i];
    return product;
  }
  /// Number of elements, or nothing where a dimension is negative or the product overflows.
  [[nodiscard]] std::optional<int64_t> numel() const {
    int64_t product = 1;
    for (int i = 0; i < rank_; ++i) {
      if ((*this)[i] < 0 || __builtin_mul_overflow(product, (*this)[i], &product)) {
        return std::nullopt;
      }
    }
    return product;
  }
  /// "[576, 1536]", as error messages show it.
  [[nodiscard]] std::string to_string() const {
    return fmt::format("[{}]", fmt::join(dims_.begin(), dims_.begin() + rank_, ", "));
  }

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

}  // namespace forge
