// Trusts arithmetic done by hand.
#include "forge/tensor/shape.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "forge/tensor/view.h"

namespace forge {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Shape, RowsColumnsNumel) {
  const Shape scalar;
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.columns(), 1);
  EXPECT_EQ(scalar.rows(), 1);
  EXPECT_EQ(scalar.numel(), 1);
  EXPECT_EQ(scalar.to_string(), "[]");

  const Shape vector{5};
  EXPECT_EQ(vector.columns(), 5);
  EXPECT_EQ(vector.rows(), 1);

  const Shape cube{2, 3, 4};
  EXPECT_EQ(cube.columns(), 4);
  EXPECT_EQ(cube.rows(), 6);
  EXPECT_EQ(cube.numel(), 24);
  EXPECT_EQ(cube.to_string(), "[2, 3, 4]");
}

TEST(Shape, NumelRefusesOverflowAndNegative) {
  EXPECT_EQ((Shape{kMax}).numel(), kMax);
  EXPECT_EQ((Shape{kMax, 1}).numel(), kMax);
  EXPECT_EQ((Shape{kMax / 2 + 1, 2}).numel(), std::nullopt);
  EXPECT_EQ((Shape{1LL << 32, 1LL << 32}).numel(), std::nullopt);
  EXPECT_EQ((Shape{-1, 4}).numel(), std::nullopt);
  EXPECT_EQ((Shape{0, -1}).numel(), std::nullopt) << "a negative dimension, even beside a zero";
  EXPECT_EQ((Shape{0, kMax, 1}).numel(), 0);
}

TEST(Shape, PushBackAddsTheInnermost) {
  Shape shape{7};
  shape.push_back(3);
  EXPECT_EQ(shape, (Shape{7, 3}));
  EXPECT_NE(shape, (Shape{3, 7}));
  EXPECT_NE(shape, (Shape{7, 3, 1}));
}

TEST(ShapeDeathTest, FifthDimension) {
  Shape shape{1, 2, 3, 4};
  EXPECT_DEATH(shape.push_back(5), "rank 4");
  EXPECT_DEATH((Shape{1, 2, 3, 4, 5}), "rank 5");
}

TEST(TensorView, RowsLieOneAfterAnother) {
  std::array<std::byte, 3 * 36> bytes{};
  const TensorView view{.dtype = DType::kQ4_0, .shape = {3, 64}, .data = bytes.data()};
  EXPECT_FALSE(view.is_missing());
  EXPECT_TRUE(TensorView{}.is_missing());
  EXPECT_EQ(view.bytes_per_row(), 36);
  EXPECT_EQ(view.bytes(), 108);
  EXPECT_EQ(view.row(2), bytes.data() + 72);
}

TEST(ActivationView, RowsAreAStrideApart) {
  std::array<float, 20> values{};
  const ActivationView view{.data = values.data(), .rows = 2, .columns = 8, .row_stride = 10};
  EXPECT_EQ(view.row(1), values.data() + 10);
}

}  // namespace
}  // namespace forge
