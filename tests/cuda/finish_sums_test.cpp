// Trusts: matmul() itself, bit for bit, since both end a product in the same way; a part of its
// matrix is taken as a matrix of its own (rows_of), so that sums come in slabs.
//
// Mutations that these tests were seen to fail on: without the first row of a slab in the row tile;
// without the stride of the sums; with is_there always true; rows_of without the offset of each of
// its three planes.
#include "forge/kernels/cuda/matmul/finish_sums.h"

#include <functional>

#include "forge/kernels/cuda/weights/layout.h"
#include "tests/cuda/matmul_case.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

constexpr int32_t kTokens = 11;
constexpr int64_t kRows = 1096;  // the last tile is not whole
constexpr int64_t kPadded = 1104;

class FinishSums : public ::testing::Test {
 protected:
  MatmulTask with_norm() {
    MatmulTask task = product_.task();
    task.norm = {.squares = squares_.data(), .n_tiles = 3, .eps = 1e-5f};
    task.bias = bias_.data();
    return task;
  }
  /// Sums of the task's rows by matmul(), slab by slab, each finished.
  void finish_in_slabs(const MatmulTask& task, int32_t slab_rows) {
    for (int32_t first = 0; first < task.weight.rows; first += slab_rows) {
      const int32_t n = std::min(slab_rows, task.weight.rows - first);
      const int64_t stride = n + 4;
      const auto sums = device_.array<float>(static_cast<size_t>(kTokens * stride));
      OnDevice::require(matmul(device_.stream(), device_.info(),
                               {.weight = rows_of(task.weight, first, n),
                                .n_rows = n,
                                .x = task.x,
                                .x_stride = task.x_stride,
                                .n_tokens = kTokens,
                                .y = sums.data(),
                                .y_stride = stride}));
      OnDevice::require(finish_sums(device_.stream(), {task, sums.data(), stride, first, n}));
      OnDevice::require(device_.stream().synchronize());
    }
  }
  /// What run() leaves in the arrays that it is given must be the same for both.
  void compare(const std::function<void(const std::function<void(const MatmulTask&)>&)>& run) {
    in_every_order([&] {
      run([&](const MatmulTask& task) {
        OnDevice::require(matmul(device_.stream(), device_.info(), task));
      });
      is_second_ = true;
      for (const int32_t slab : {1104, 256}) {
        run([&](const MatmulTask& task) { finish_in_slabs(task, slab); });
      }
      is_second_ = false;
    });
  }
  /// Keeps the first run's bytes, holds the others against them.
  template <typename T>
  void same(const DeviceArray<T>& array, std::vector<T>& first) {
    const std::vector<T> values = device_.download(array);
    if (!is_second_) {
      first = values;
    } else {
      EXPECT_EQ(std::memcmp(values.data(), first.data(), values.size() * sizeof(T)), 0);
    }
  }

  OnDevice device_;
  MatmulCase product_{device_, DType::kBF16, kRows, 64, kTokens};
  DeviceArray<float> squares_ = device_.upload([] {
    std::vector<float> squares = random_floats(kTokens * 3, 8);
    for (float& square : squares) square = square * square * 20.0f + 1.0f;
    return squares;
  }());
  DeviceArray<float> bias_ = device_.upload(random_floats(kRows, 9));
  bool is_second_ = false;
  std::vector<float> f32_, squares_found_;
  std::vector<uint16_t> half_;
};

TEST_F(FinishSums, Stores) {
  compare([&](const auto& multiply) {
    const auto y = device_.array<float>(kTokens * (kRows + 3));
    MatmulTask task = with_norm();
    task.y = y.data();
    task.y_stride = kRows + 3;
    multiply(task);
    same(y, f32_);
  });
}

TEST_F(FinishSums, AddsAndPreparesTheNextNorm) {
  const std::vector<float> before = random_floats(kTokens * kPadded, 10);
  const auto weight = device_.upload(random_floats(kRows, 11));
  compare([&](const auto& multiply) {
    const auto h = device_.upload(before);
    const auto scaled = device_.array<uint16_t>(kTokens * kPadded);
    const auto squares = device_.array<float>(kTokens * kPadded / 16);
    MatmulTask task = with_norm();
    task.finish = Finish::kAdd;
    task.y = h.data();
    task.y_stride = kPadded;
    task.next = {weight.data(), scaled.data(), kPadded, squares.data()};
    multiply(task);
    same(h, f32_);
    same(scaled, half_);
    same(squares, squares_found_);
  });
}

TEST_F(FinishSums, GatesRowsInEights) {
  compare([&](const auto& multiply) {
    const auto y = device_.array<uint16_t>(kTokens * kRows);
    MatmulTask task = with_norm();
    task.finish = Finish::kGated;
    task.y = y.data();
    task.y_stride = kRows;
    multiply(task);
    same(y, half_);
  });
}

// Sums that lie where the logits will.
TEST_F(FinishSums, LogitsComeWithMaximaInPlace) {
  in_every_order([&] {
    MatmulTask task = with_norm();
    const auto maxima = device_.array<float>(kTokens * kPadded / 16);
    const auto y = device_.array<float>(kTokens * kPadded);
    task.y = y.data();
    task.y_stride = kPadded;
    task.finish = Finish::kLogits;
    task.maxima = maxima.data();
    OnDevice::require(matmul(device_.stream(), device_.info(), task));
    const std::vector<float> logits = device_.download(y);
    const std::vector<float> most = device_.download(maxima);

    OnDevice::require(device_.stream().fill(maxima.data(), 0xFF, kTokens * kPadded / 4));
    MatmulTask sums = product_.task();
    sums.y = y.data();
    sums.y_stride = kPadded;
    OnDevice::require(matmul(device_.stream(), device_.info(), sums));
    for (const int32_t first : {0, 512}) {
      const int32_t n = first == 0 ? 512 : 592;
      OnDevice::require(finish_sums(device_.stream(), {task, y.data() + first, kPadded, first, n}));
    }
    const std::vector<float> found = device_.download(y);
    const std::vector<float> found_most = device_.download(maxima);
    for (int64_t token = 0; token < kTokens; ++token) {
      for (int64_t row = 0; row < kRows; ++row) {
        const auto i = static_cast<size_t>(token * kPadded + row);
        ASSERT_EQ(found[i], logits[i]);
      }
    }
    EXPECT_EQ(found_most, most);
  });
}

TEST(RowsOf, APartOfAMatrixIsAMatrix) {
  OnDevice device;
  for (const DType dtype : {DType::kBF16, DType::kQ8_0, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0,
                            DType::kQ5_1, DType::kQ6_K}) {
    SCOPED_TRACE(info(dtype).name);
    const MatmulCase product(device, dtype, 64, 256, 5);
    MatmulTask task = product.task();
    const std::vector<float> whole = stored(device, task, 1);
    task.weight = rows_of(task.weight, 32, 16);
    task.n_rows = 16;
    const std::vector<float> part = stored(device, task, 1);
    for (size_t token = 0; token < 5; ++token) {
      for (size_t row = 0; row < 16; ++row) {
        ASSERT_EQ(part[token * 19 + row], whole[token * 67 + 32 + row]) << token << " " << row;
      }
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cuda
