// Trusts: norm and products in double, of the residual stream and of gates themselves.
//
// Numbers that f16 alone has no room for, through the kernels that write them and those that read
// them. Mutations that were seen: the unit on one side only, a tile's or a row's exponent left out
// in each kernel, the barrier before rows' exponents are read, another lane's exponent, another
// tile's squares, tiles past the end, x that is scaled after the others read it, the unit of gates
// on one side only. Never, it only costs range: a root_exponent that is larger by one.
#include <cmath>

#include "tests/cuda/matmul_case.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

constexpr int32_t kHidden = 208;  // ends inside of a step
constexpr int32_t kStride = 256;
constexpr int32_t kTiles = kHidden / 16;
constexpr int32_t kTokens = 195;
constexpr float kEps = 1e-6f;

/// Tokens of sizes that a model may have, one after another.
std::vector<float> residual() {
  std::vector<float> h = random_floats(size_t{kTokens} * kHidden, 3);
  for (size_t i = 0; i < h.size(); ++i) {
    const size_t column = i % kHidden;
    switch (i / kHidden % 6) {
      case 1:
        h[i] *= 1e5f;
        break;
      case 2:
        h[i] *= 1e-4f;
        break;
      case 3:  // one number of 1e5 among those of 1e-4
        h[i] = column == 17 ? -1e5f : h[i] * 1e-4f;
        break;
      case 4:  // one that the norm's weight takes back
        if (column == 100) h[i] = 1.5e4f;
        break;
      case 5:
        h[i] = 0.0f;
        break;
      default:
        break;
    }
  }
  return h;
}

std::vector<float> norm_weights() {
  std::vector<float> weights = random_floats(kHidden, 4);
  weights[100] = 1e-3f;
  weights[5] = 60.0f;
  return weights;
}

/// What products in f16 make of the residual stream.
class RowScale : public ::testing::Test {
 protected:
  RowScale() {
    // hidden += 0: the kernel that adds prepares the norm.
    const PackedOnDevice zeros =
        empty_matrix(device_, WeightKind::kPlain, kHidden, 64, ProductType::kF16);
    const auto nothing = device_.upload(std::vector<uint16_t>(size_t{kTokens} * 64, 0));
    OnDevice::require(device_.stream().fill(x_.data(), 0, int64_t{kTokens} * kStride * 2));
    OnDevice::require(matmul(device_.stream(), device_.info(),
                             {.weight = zeros.matrix,
                              .n_rows = kHidden,
                              .x = nothing.data(),
                              .x_stride = 64,
                              .n_tokens = kTokens,
                              .finish = Finish::kAdd,
                              .y = h_on_.data(),
                              .y_stride = kHidden,
                              .next = {weight_on_.data(), x_.data(), kStride, squares_.data()}}));
    OnDevice::require(device_.stream().synchronize());
  }
  [[nodiscard]] MatmulTask task() const {
    return {.weight = packed_.matrix,
            .n_rows = kRows,
            .x = x_.data(),
            .x_stride = kStride,
            .n_tokens = kTokens,
            .norm = {squares_.data(), kTiles, kEps}};
  }
  void expect_row(int32_t token, const float* y) const {
    double squares = 0.0;
    const float* h = h_.data() + token * kHidden;
    for (int32_t c = 0; c < kHidden; ++c) squares += double{h[c]} * double{h[c]};
    const double inv_rms = 1.0 / std::sqrt(squares / kHidden + double{kEps});
    for (int32_t row = 0; row < kRows; ++row) {
      double sum = 0.0;
      double size = 0.0;
      double weights = 0.0;
      double scaled_weights = 0.0;
      for (int32_t c = 0; c < kHidden; ++c) {
        const double w = parts_of(DType::kF16, table_.view().row(row), c).packed(ProductType::kF16);
        const double product = w * double{h[c]} * double{weight_[static_cast<size_t>(c)]} * inv_rms;
        sum += product;
        size += std::fabs(product);
        weights += std::fabs(w);
        scaled_weights += std::fabs(w * double{weight_[static_cast<size_t>(c)]});
      }
      // f16 rounds numbers by 2^-12 of them or, below its normal ones, by half of 2^-24 of the
      // row's unit, which is at most 2^(1 - 6) of the row's norm; and tiles beneath 2^-24 of the
      // norm are lost. Sums are in f32.
      const double norm = std::sqrt(kHidden);
      const double lost = std::ldexp(norm, -30) * weights + std::ldexp(norm, -24) * scaled_weights;
      ASSERT_NEAR(double{y[row]}, sum, size * 0x1.1p-11 + lost + 1e-30)
          << "token " << token << " row " << row;
    }
  }

  static constexpr int32_t kRows = 37;
  OnDevice device_;
  std::vector<float> h_ = residual();
  std::vector<float> weight_ = norm_weights();
  DeviceArray<float> h_on_ = device_.upload(h_);
  DeviceArray<float> weight_on_ = device_.upload(weight_);
  DeviceArray<uint16_t> x_ = device_.array<uint16_t>(size_t{kTokens} * kStride);
  DeviceArray<float> squares_ = device_.array<float>(size_t{kTokens} * kTiles);
  RandomMatrix table_{DType::kF16, kRows, kHidden, BlockContent::kRandom, 6};
  PackedOnDevice packed_ = packed_on(device_, table_.view(), WeightKind::kPlain, ProductType::kF16);
};

struct Batch {
  int32_t n_tokens;
  int32_t n_processors;
};
// Each kernel (matmul_test.cpp).
constexpr Batch kBatches[] = {{6, 132}, {10, 132}, {8, 1},  {13, 1},
                              {20, 1},  {37, 1},   {70, 4}, {195, 1}};

TEST_F(RowScale, NumbersOfEverySizeComeThrough) {
  for (const Batch& shape : kBatches) {
    SCOPED_TRACE(shape.n_tokens);
    MatmulTask some = task();
    some.n_tokens = shape.n_tokens;
    in_every_order([&] {
      const std::vector<float> y = stored(device_, some, shape.n_processors);
      for (int32_t token = 0; token < shape.n_tokens; ++token) {
        expect_row(token, y.data() + token * (kRows + 3));
      }
    });
  }
}

TEST_F(RowScale, ATokenHasTheSameBitsInEveryKernel) {
  const std::vector<float> all = stored(device_, task(), 1);
  std::vector<int32_t> rows(kTokens);
  for (int32_t i = 0; i < kTokens; ++i) rows[static_cast<size_t>(i)] = kTokens - 1 - i;
  const auto on_device = device_.upload(rows);
  for (const Batch& shape : kBatches) {
    SCOPED_TRACE(shape.n_tokens);
    MatmulTask some = task();
    some.n_tokens = shape.n_tokens;
    const std::vector<float> first = stored(device_, some, shape.n_processors);
    some.x_rows = on_device.data();
    const std::vector<float> last = stored(device_, some, shape.n_processors);
    for (int32_t token = 0; token < shape.n_tokens; ++token) {
      const float* expected = all.data() + token * (kRows + 3);
      ASSERT_EQ(std::memcmp(first.data() + token * (kRows + 3), expected, kRows * 4), 0) << token;
      expected = all.data() + (kTokens - 1 - token) * (kRows + 3);
      ASSERT_EQ(std::memcmp(last.data() + token * (kRows + 3), expected, kRows * 4), 0) << token;
    }
  }
}

/// Row i is `value` in column i.
PackedOnDevice diagonal(OnDevice& device, int64_t rows, int64_t columns) {
  std::vector<uint16_t> values(static_cast<size_t>(rows * columns), 0);
  for (int64_t i = 0; i < rows && i < columns; ++i) {
    values[static_cast<size_t>(i * columns + i)] = f32_to_f16(1.0f);
  }
  const TensorView view{.dtype = DType::kF16,
                        .shape = Shape{rows, columns},
                        .data = reinterpret_cast<const std::byte*>(values.data())};
  return packed_on(device, view, WeightKind::kPlain, ProductType::kF16);
}

// gate * up of 1e5 and of 1e-3 come through; 4e6 does not, and is not a number that anyone takes
// for one.
TEST(GatedRows, NumbersOfEverySizeComeThroughOrAreNone) {
  OnDevice device;
  const PackedOnDevice gate_up = diagonal(device, 16, 64);
  const PackedOnDevice down = diagonal(device, 16, 64);
  for (const Batch& shape : {Batch{3, 132}, Batch{70, 4}}) {
    const auto n = static_cast<size_t>(shape.n_tokens);
    const auto value = [](size_t token, int32_t i) {
      const float size = token % 3 == 0 ? 0.03f : token % 3 == 1 ? 310.0f : 2100.0f;
      return f16_to_f32(f32_to_f16(size * (1.0f + 0.01f * static_cast<float>(i))));
    };
    std::vector<uint16_t> inputs(n * 64, 0);
    for (size_t token = 0; token < n; ++token) {
      for (int32_t i = 0; i < 16; ++i) {
        inputs[token * 64 + static_cast<size_t>(i)] = f32_to_f16(value(token, i));
      }
    }
    const auto x = device.upload(inputs);
    const auto mid = device.upload(std::vector<uint16_t>(n * 64, 0));
    const auto h = device.upload(std::vector<float>(n * 16, 0.0f));
    const DeviceInfo info = with_processors(device, shape.n_processors);
    OnDevice::require(matmul(device.stream(), info,
                             {.weight = gate_up.matrix,
                              .n_rows = 16,
                              .x = x.data(),
                              .x_stride = 64,
                              .n_tokens = shape.n_tokens,
                              .finish = Finish::kGated,
                              .y = mid.data(),
                              .y_stride = 64}));
    OnDevice::require(matmul(device.stream(), info,
                             {.weight = down.matrix,
                              .n_rows = 16,
                              .x = mid.data(),
                              .x_stride = 64,
                              .n_tokens = shape.n_tokens,
                              .x_is_gated = true,
                              .finish = Finish::kAdd,
                              .y = h.data(),
                              .y_stride = 16}));
    const std::vector<float> got = device.download(h);
    for (size_t token = 0; token < n; ++token) {
      for (int32_t i = 0; i < 8; ++i) {
        const float y = got[token * 16 + static_cast<size_t>(i)];
        const double gate = double{value(token, i)};
        const double want = gate / (1.0 + std::exp(-gate)) * double{value(token, i + 8)};
        if (token % 3 == 2) {
          ASSERT_FALSE(std::isfinite(y)) << y;
        } else {
          ASSERT_NEAR(double{y}, want, want * 0x1.1p-11 + 0x1p-21) << token << " " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cuda
