// Reference: a naive sum in long double over tensor/decode.h's values, which the block goldens
// cover.
#include "forge/kernels/matmul.h"

#include <gtest/gtest.h>

#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"
#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

// A matrix of random values in any type that can be encoded, at an odd address.
struct TestWeight {
  std::vector<std::byte> storage;
  TensorView view;

  TestWeight(DType dtype, int64_t rows, int64_t columns, uint32_t seed) {
    TestMatrix values(rows, columns, seed, 0.5f, 0);
    const int64_t bytes = rows * *row_bytes(dtype, columns);
    storage.resize(static_cast<size_t>(bytes) + 1);
    encode(dtype, values.view().data, rows * columns, storage.data() + 1);
    view = {.dtype = dtype, .shape = {rows, columns}, .data = storage.data() + 1};
  }
};

void expect_matches(const TestMatrix& x, const TensorView& weight, std::span<const float> bias,
                    const TestMatrix& y, int64_t n_tokens) {
  std::vector<float> row(static_cast<size_t>(weight.columns()));
  for (int64_t n = 0; n < weight.rows(); ++n) {
    decode_row(weight, n, row.data());
    for (int64_t t = 0; t < n_tokens; ++t) {
      long double sum =
          bias.empty() ? 0.0L : static_cast<long double>(bias[static_cast<size_t>(n)]);
      long double magnitude = std::abs(sum);
      for (int64_t k = 0; k < weight.columns(); ++k) {
        const long double term = static_cast<long double>(x.at(t, k)) * row[static_cast<size_t>(k)];
        sum += term;
        magnitude += std::abs(term);
      }
      // One rounding of the result to f32, and K roundings in double.
      const auto tolerance = static_cast<double>(std::abs(sum) * 0x1p-23L + magnitude * 1e-13L);
      EXPECT_NEAR(y.at(t, n), static_cast<double>(sum), tolerance) << t << " " << n;
    }
  }
}

TEST(Matmul, MatchesNaiveSumsForEveryEncodableType) {
  ThreadPool pool(2);
  for (const DTypeInfo& type : all_dtypes()) {
    if (!can_encode(type.dtype)) continue;
    for (const int64_t blocks : {1, 2, 3}) {
      const int64_t k = type.block_len == 1 ? blocks * 7 : blocks * type.block_len;
      const TestWeight weight(type.dtype, 37, k, 11);
      TestMatrix x(3, k, 12);
      TestMatrix y = TestMatrix::poisoned(3, 37);
      matmul(x.view(), weight.view, {}, y.view(), {&pool});
      expect_matches(x, weight.view, {}, y, 3);
      EXPECT_TRUE(y.gaps_untouched()) << type.name;
    }
  }
}

TEST(Matmul, AddsTheBiasOnce) {
  ThreadPool pool(1);
  const TestWeight weight(DType::kF32, 33, 65, 21);
  TestMatrix bias(1, 33, 22, 1.0f, 0);
  TestMatrix x(2, 65, 23);
  TestMatrix y = TestMatrix::poisoned(2, 33);
  const std::span<const float> values(bias.view().data, 33);
  matmul(x.view(), weight.view, values, y.view(), {&pool});
  expect_matches(x, weight.view, values, y, 2);
}

TEST(Matmul, ARowHasTheSameBitsInAnyBatchAndForAnyThreads) {
  const TestWeight weight(DType::kQ8_0, 70, 96, 31);
  TestMatrix x(33, 96, 32);
  ThreadPool one(1);
  TestMatrix together = TestMatrix::poisoned(33, 70);
  matmul(x.view(), weight.view, {}, together.view(), {&one});
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    TestMatrix again = TestMatrix::poisoned(33, 70);
    matmul(x.view(), weight.view, {}, again.view(), {&pool});
    EXPECT_TRUE(again.same_values(together)) << threads;
    for (const int64_t t : {0, 17, 32}) {
      TestMatrix alone = TestMatrix::poisoned(1, 70);
      ActivationView row = x.view();
      row.data = row.row(t);
      row.rows = 1;
      matmul(row, weight.view, {}, alone.view(), {&pool});
      for (int64_t n = 0; n < 70; ++n) EXPECT_EQ(alone.at(0, n), together.at(t, n));
    }
  }
}

}  // namespace
}  // namespace forge::kernels
