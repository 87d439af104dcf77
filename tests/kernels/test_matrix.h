// Operands for kernel tests: random values, guarded and poisoned outputs.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "forge/tensor/view.h"

namespace forge::kernels {

/// Rows of random values with a gap between rows. Gaps and guards hold NaN, so a kernel that reads
/// them shows it; gaps_untouched() shows one that wrote there.
class TestMatrix {
 public:
  TestMatrix(int64_t rows, int64_t columns, uint32_t seed, float sigma = 1.0f, int64_t gap = 3)
      : rows_(rows), columns_(columns), stride_(columns + gap) {
    values_.assign(static_cast<size_t>(rows * stride_ + gap), kPoison);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0.0f, sigma);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) view().row(r)[c] = normal(random);
    }
  }
  /// An output: every value NaN.
  static TestMatrix poisoned(int64_t rows, int64_t columns) {
    TestMatrix matrix(rows, columns, 0);
    for (float& value : matrix.values_) value = kPoison;
    return matrix;
  }

  [[nodiscard]] ActivationView view() {
    return {.data = values_.data(), .rows = rows_, .columns = columns_, .row_stride = stride_};
  }
  [[nodiscard]] float at(int64_t r, int64_t c) const {
    return values_[static_cast<size_t>(r * stride_ + c)];
  }
  [[nodiscard]] bool gaps_untouched() const {
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto column = static_cast<int64_t>(i) % stride_;
      const bool is_gap = column >= columns_ || static_cast<int64_t>(i) / stride_ >= rows_;
      if (is_gap && !std::isnan(values_[i])) return false;
    }
    return true;
  }
  /// Bit equality of the values, gaps left out.
  [[nodiscard]] bool same_values(const TestMatrix& other) const {
    for (int64_t r = 0; r < rows_; ++r) {
      for (int64_t c = 0; c < columns_; ++c) {
        if (at(r, c) != other.at(r, c)) return false;  // NaN differs from itself: wanted
      }
    }
    return rows_ == other.rows_ && columns_ == other.columns_;
  }

 private:
  static constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();
  int64_t rows_;
  int64_t columns_;
  int64_t stride_;
  std::vector<float> values_;
};

}  // namespace forge::kernels
