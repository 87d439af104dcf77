// Reference: tensor/decode.h of each row.
#include "forge/kernels/embedding.h"

#include <gtest/gtest.h>

#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"
#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

TEST(Embedding, CopiesTheRowsOfTheTokens) {
  ThreadPool pool(3);
  TestMatrix values(50, 64, 101, 1.0f, 0);
  std::vector<std::byte> blocks(static_cast<size_t>(50 * *row_bytes(DType::kQ8_0, 64)));
  encode(DType::kQ8_0, values.view().data, 50 * 64, blocks.data());
  const TensorView table{.dtype = DType::kQ8_0, .shape = {50, 64}, .data = blocks.data()};
  std::vector<int32_t> ids;
  for (int32_t i = 0; i < 70; ++i) ids.push_back((i * 17) % 50);
  TestMatrix y = TestMatrix::poisoned(70, 64);
  embedding(table, ids, y.view(), {&pool});
  std::vector<float> row(64);
  for (int64_t t = 0; t < 70; ++t) {
    decode_row(table, ids[static_cast<size_t>(t)], row.data());
    for (int64_t c = 0; c < 64; ++c) EXPECT_EQ(y.at(t, c), row[static_cast<size_t>(c)]);
  }
  EXPECT_TRUE(y.gaps_untouched());
}

}  // namespace
}  // namespace forge::kernels
