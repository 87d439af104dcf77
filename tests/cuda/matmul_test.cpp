// Trusts: a product in double of what packed weights are (packed_values.h).
//
// Mutations that were seen, here or in matmul_finish_test: in few.h each sync_block(), one buffer
// for two, the rounds' end, where the next group begins, sums that are not cleared; in many.h each
// sync_block(), the wait for copies, the segments' ends, copies past the last step, sums that are
// not cleared; in finish.h the row tiles', rows' and tokens' ends. Only under AddressSanitizer or
// on a device, since nobody uses what is read: clamping tiles past the end, fetching past the last
// group, rows of x of tokens that are not there. Never, they only save work: blocks without tokens,
// warps without a segment, the last store_w(), pairs without tokens, which warp finishes.
// wait_for_predecessor() does nothing here; a device has to show it. Of f32's three products each
// mixed one was seen missing; cutting numbers off in place of rounding the first part was not: its
// error is below that of the sums.
#include "tests/cuda/matmul_case.h"

#include "forge/kernels/cuda/matmul/plan.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

using Kernel = MatmulPlan::Kernel;

// The first rows suffice where a product is large: all of a tile, and the padded one.
void expect_product(const MatmulCase& product, const std::vector<float>& y, int32_t n_tokens) {
  const int32_t stride = product.n_rows() + 3;
  for (int32_t token = 0; token < n_tokens; ++token) {
    for (int32_t row = 0; row < stride; ++row) {
      const float got = y[static_cast<size_t>(token * stride + row)];
      if (row >= product.n_rows()) {
        ASSERT_TRUE(std::isnan(got)) << "beyond the rows: " << token << " " << row;
        continue;
      }
      const auto& sum = product.expected(row, token);
      ASSERT_NEAR(got, sum.value, product.tolerance(sum)) << "token " << token << " row " << row;
    }
  }
}

struct KindCase {
  DType dtype;
  int64_t columns;
  bool in_every_order = false;  // kernels differ by kind only in how weights come to fragments
  ProductType product_type = ProductType::kBf16;
};
// Padded steps, and as many columns as make a last segment that is shorter.
constexpr KindCase kKinds[] = {{DType::kBF16, 1080, true},
                               {DType::kQ8_0, 1056},
                               {DType::kQ4_0, 1056},
                               {DType::kQ4_1, 1056},
                               {DType::kQ5_0, 96},
                               {DType::kQ5_1, 1056},
                               {DType::kQ6_K, 768, true},
                               {DType::kF16, 1080, false, ProductType::kF16},
                               {DType::kQ8_0, 96, false, ProductType::kF16},
                               {DType::kQ4_0, 96, false, ProductType::kF16},
                               {DType::kQ4_1, 96, false, ProductType::kF16},
                               {DType::kQ5_0, 96, false, ProductType::kF16},
                               {DType::kQ5_1, 96, false, ProductType::kF16},
                               {DType::kQ6_K, 256, false, ProductType::kF16},
                               {DType::kF32, 552, false, ProductType::kTf32},
                               {DType::kF32, 552, false, ProductType::kF32}};

TEST(Matmul, EveryKindAndKernel) {
  // (tokens, processors): each shape of the few tokens' kernel, then both of the many tokens'.
  struct Shape {
    int32_t n_tokens;
    int32_t n_processors;
    MatmulPlan plan;
  };
  const Shape shapes[] = {{3, 132, {Kernel::kFew, 1, 1}}, {10, 132, {Kernel::kFew, 1, 2}},
                          {8, 1, {Kernel::kFew, 2, 1}},   {13, 1, {Kernel::kFew, 2, 2}},
                          {20, 1, {Kernel::kFew, 2, 4}},  {37, 1, {Kernel::kFew, 2, 8}},
                          {70, 4, {Kernel::kManySmall}},  {195, 1, {Kernel::kManyLarge}}};
  OnDevice device;
  for (const KindCase& kind : kKinds) {
    const MatmulCase product(device, kind.dtype, 77, kind.columns, 195, kind.product_type);
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(std::string(name(kind.dtype)) + " " + std::to_string(shape.n_tokens));
      const MatmulPlan plan = plan_matmul(5, shape.n_tokens, shape.n_processors);
      ASSERT_EQ(plan.kernel, shape.plan.kernel);
      ASSERT_EQ(plan.row_tiles, shape.plan.row_tiles);
      ASSERT_EQ(plan.token_tiles, shape.plan.token_tiles);
      MatmulTask task = product.task();
      task.n_tokens = shape.n_tokens;
      const auto test = [&] {
        expect_product(product, stored(device, task, shape.n_processors), shape.n_tokens);
      };
      if (kind.in_every_order) {
        in_every_order(test);
      } else {
        test();
      }
    }
  }
}

// Every token's row of results, alone and beside any number of others, in every kernel.
TEST(Matmul, ATokenHasTheSameBitsInEveryBatch) {
  OnDevice device;
  for (const KindCase& kind : kKinds) {
    SCOPED_TRACE(name(kind.dtype));
    const MatmulCase product(device, kind.dtype, 77, kind.columns, 195, kind.product_type);
    MatmulTask task = product.task();
    const std::vector<float> of_all = stored(device, task, 1);
    const auto row_bytes = sizeof(float) * static_cast<size_t>(product.n_rows());
    const auto stride = static_cast<size_t>(product.n_rows() + 3);
    for (const int32_t n_tokens : {1, 9, 18, 64, 65}) {
      for (const int32_t n_processors : {1, 132}) {
        const int32_t first = (195 - n_tokens) / 2;
        task = product.task(first);
        task.n_tokens = n_tokens;
        const std::vector<float> of_some = stored(device, task, n_processors);
        for (int32_t token = 0; token < n_tokens; ++token) {
          const float* some = of_some.data() + static_cast<size_t>(token) * stride;
          const float* all = of_all.data() + static_cast<size_t>(first + token) * stride;
          ASSERT_EQ(std::memcmp(some, all, row_bytes), 0)
              << token << " of " << n_tokens << " on " << n_processors;
        }
      }
    }
  }
}

// Blocks go through several groups of tiles when there are fewer blocks than groups.
TEST(Matmul, ABlockTakesManyTiles) {
  OnDevice device;
  const MatmulCase product(device, DType::kBF16, 16 * 21, 192, 12);
  for (const int32_t n_tokens : {2, 12}) {
    for (const int32_t n_processors : {1, 5, 20}) {
      MatmulTask task = product.task();
      task.n_tokens = n_tokens;
      in_every_order(
          [&] { expect_product(product, stored(device, task, n_processors), n_tokens); });
    }
  }
}

// Tokens take rows of x in any order; a negative one is not computed, and whole blocks of them end.
TEST(Matmul, RowsOfX) {
  OnDevice device;
  const MatmulCase product(device, DType::kBF16, 24, 192, 140);
  for (const int32_t n_tokens : {6, 60, 140}) {
    std::vector<int32_t> rows(static_cast<size_t>(n_tokens), -1);
    for (int32_t i = 0; i < n_tokens; i += 3) rows[static_cast<size_t>(i)] = n_tokens - 1 - i;
    if (n_tokens > 40) std::fill(rows.begin() + 16, rows.begin() + 36, -1);
    const auto on_device = device.upload(rows);
    MatmulTask task = product.task();
    task.n_tokens = n_tokens;
    const std::vector<float> of_all = stored(device, task, 1);
    task.x_rows = on_device.data();
    for (const int32_t n_processors : {1, 132}) {
      const std::vector<float> y = stored(device, task, n_processors);
      for (size_t token = 0; token < rows.size(); ++token) {
        for (size_t row = 0; row < 24; ++row) {
          const float got = y[token * 27 + row];
          if (rows[token] < 0) {
            ASSERT_TRUE(std::isnan(got)) << token;
          } else {
            ASSERT_EQ(got, of_all[static_cast<size_t>(rows[token]) * 27 + row]) << token;
          }
        }
      }
    }
  }
}

TEST(MatmulPlan, RealLayersFillTheDevice) {
  const auto plan = [](int32_t rows, int32_t tokens) {
    return plan_matmul(rows / 16, tokens, 132);
  };
  EXPECT_EQ(plan(576, 1).row_tiles, 1);
  EXPECT_EQ(plan(28672, 1).row_tiles, 2);
  EXPECT_EQ(plan(576, 64).token_tiles, 2);
  EXPECT_EQ(plan(4096, 64).token_tiles, 8);
  EXPECT_EQ(plan(576, 100).kernel, Kernel::kFew);
  EXPECT_EQ(plan(576, 2048).kernel, Kernel::kManySmall);
  EXPECT_EQ(plan(28672, 512).kernel, Kernel::kManyLarge);
  EXPECT_EQ(plan(4096, 128).kernel, Kernel::kManySmall);
}

}  // namespace
}  // namespace forge::kernels::cuda
