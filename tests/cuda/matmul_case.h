// Products for tests: random weights and tokens, and what comes out on a device.
#pragma once

#include <random>

#include "forge/kernels/cuda/matmul/matmul.h"
#include "tests/cuda/packed_on_device.h"
#include "tests/cuda/packed_values.h"
#include "tests/kernels/random_blocks.h"

namespace forge::kernels::cuda {

/// Values about 1 in size.
inline std::vector<float> random_floats(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(random);
  return values;
}

/// A matrix whose real rows and columns are the checkpoint's, and as many tokens as are asked for.
class MatmulCase {
 public:
  MatmulCase(OnDevice& device, DType dtype, int64_t rows, int64_t columns, int32_t n_tokens,
             ProductType product_type = ProductType::kBf16)
      : n_tokens_(n_tokens),
        table_(dtype, rows, columns, BlockContent::kRandom, 21),
        weight_(packed_on(device, table_.view(), weight_kind(dtype), product_type)),
        x_stride_(weight_.matrix.columns + 24),
        x_host_(make_x()),
        x_(device.upload(to_elements(x_host_, product_type))),
        expected_(make_expected()) {}

  [[nodiscard]] const PackedMatrix& weight() const { return weight_.matrix; }
  [[nodiscard]] int32_t n_rows() const { return static_cast<int32_t>(table_.view().rows()); }
  /// From token `first` on.
  [[nodiscard]] MatmulTask task(int32_t first = 0) const {
    return {.weight = weight_.matrix,
            .n_rows = n_rows(),
            .x = x_.data() + first * x_stride_ * element_bytes(weight_.matrix.product_type),
            .x_stride = x_stride_,
            .n_tokens = n_tokens_ - first};
  }

  struct Sum {
    double value;
    double size;  // the sum of the products' sizes
  };
  [[nodiscard]] const Sum& expected(int64_t row, int64_t token) const {
    return expected_[static_cast<size_t>(token * n_rows() + row)];
  }
  /// Of sums of so many products in f32, in any order; in f32 numbers are cut in two (math.h).
  [[nodiscard]] double tolerance(const Sum& sum) const {
    const double cut = weight_.matrix.product_type == ProductType::kF32 ? 0x1p-22 + 0x1p-22 : 0.0;
    const int32_t n =
        weight_.matrix.columns / (32 / element_bytes(weight_.matrix.product_type)) + 8;
    return sum.size * (0x1p-24 * n + cut);
  }

 private:
  // Zeros between the real columns and the padded ones, not-a-number beyond.
  [[nodiscard]] std::vector<uint32_t> make_x() const {
    std::vector<uint32_t> x(static_cast<size_t>(n_tokens_ * x_stride_), 0xFFFFFFFFu);
    const std::vector<float> values = random_floats(x.size(), 5);
    for (size_t i = 0; i < x.size(); ++i) {
      const int64_t column = static_cast<int64_t>(i) % x_stride_;
      if (column < table_.view().columns()) {
        x[i] = half_bits(values[i], weight_.matrix.product_type);
      } else if (column < weight_.matrix.columns) {
        x[i] = 0;
      }
    }
    return x;
  }

  [[nodiscard]] std::vector<Sum> make_expected() const {
    const TensorView view = table_.view();
    const auto columns = static_cast<size_t>(view.columns());
    std::vector<Sum> expected(static_cast<size_t>(n_tokens_ * view.rows()));
    std::vector<double> weights(columns);
    for (int64_t row = 0; row < view.rows(); ++row) {
      for (size_t c = 0; c < columns; ++c) {
        weights[c] = parts_of(view.dtype, view.row(row), static_cast<int64_t>(c))
                         .packed(weight_.matrix.product_type);
      }
      for (int64_t token = 0; token < n_tokens_; ++token) {
        Sum sum{0.0, 0.0};
        const uint32_t* x = x_host_.data() + token * x_stride_;
        for (size_t c = 0; c < columns; ++c) {
          const double product = weights[c] * half_number(x[c], weight_.matrix.product_type);
          sum.value += product;
          sum.size += std::fabs(product);
        }
        expected[static_cast<size_t>(token * view.rows() + row)] = sum;
      }
    }
    return expected;
  }

  int32_t n_tokens_;
  RandomMatrix table_;
  PackedOnDevice weight_;
  int64_t x_stride_;
  std::vector<uint32_t> x_host_;
  DeviceArray<std::byte> x_;
  std::vector<Sum> expected_;
};

/// As if the device had so many processors: plans depend on it, results must not.
inline DeviceInfo with_processors(const OnDevice& device, int32_t n) {
  DeviceInfo info = device.info();
  info.n_processors = n;
  return info;
}

/// y of Finish::kStore with a stride beyond the rows; all of it.
inline std::vector<float> stored(OnDevice& device, MatmulTask task, int32_t n_processors) {
  task.y_stride = task.n_rows + 3;
  const auto y = device.array<float>(static_cast<size_t>(task.n_tokens * task.y_stride));
  task.y = y.data();
  OnDevice::require(matmul(device.stream(), with_processors(device, n_processors), task));
  return device.download(y);
}

}  // namespace forge::kernels::cuda
