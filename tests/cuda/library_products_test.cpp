// Trusts: matmul(), whose sums another order moves by a few roundings only; slabs worked out by
// hand.
//
// Products in slabs through cuBLASLt: the stand-in on the CPU, the library itself on a device that
// has it.
//
// Mutations that these tests were seen to fail on: every slab unpacked or multiplied from row 0;
// all slabs with the first one's algorithm and size; without the finish of the last slab; sums of
// logits in the scratch memory's stride.
#include "forge/models/cuda/library/library_products.h"

#include <array>
#include <optional>

#include "forge/models/cuda/library/product_slabs.h"
#include "tests/cuda/matmul_case.h"
#if !defined(FORGE_REAL_DEVICE)
#include "tests/simt/cublaslt/use_standin.h"
#endif

namespace forge::models::cuda {
namespace {

using kernels::cuda::Finish;
using kernels::cuda::MatmulCase;
using kernels::cuda::MatmulTask;
using kernels::cuda::OnDevice;
using kernels::cuda::WeightKind;

MatmulTask of_size(WeightKind kind, int32_t rows, int32_t columns, Finish finish) {
  return {.weight = {.kind = kind, .rows = rows, .columns = columns}, .finish = finish};
}

TEST(ProductSlabs, AreAboutAsLargeAndWholeTiles) {
  const auto slab = [](WeightKind kind, int32_t rows, int32_t columns, Finish finish) {
    return slab_rows(of_size(kind, rows, columns, finish), 2048);
  };
  // 32 MiB of sums of 2048 tokens are 4096 rows.
  EXPECT_EQ(slab(WeightKind::kPlain, 4096, 4096, Finish::kAdd), 4096);
  EXPECT_EQ(slab(WeightKind::kPlain, 6144, 4096, Finish::kStore), 3072);
  EXPECT_EQ(slab(WeightKind::kPlain, 28672, 4096, Finish::kGated), 4096);
  EXPECT_EQ(slab(WeightKind::kPlain, 128256, 4096, Finish::kLogits), 128256);
  // 64 MiB of rows of 14336 values are 2340 rows.
  EXPECT_EQ(slab(WeightKind::kInt4Min, 4096, 14336, Finish::kAdd), 2048);
  EXPECT_EQ(slab(WeightKind::kInt6, 128256, 4096, Finish::kLogits), 8192);
  EXPECT_EQ(slab(WeightKind::kPlain, 4112, 4096, Finish::kAdd), 2304);
  EXPECT_EQ(slab(WeightKind::kPlain, 48, 64, Finish::kAdd), 48);
}

TEST(ProductSlabs, BucketsHoldTheirSteps) {
  for (int32_t n = 2; n <= 5000; ++n) {
    const int32_t bucket = library_bucket(n, 4500);
    ASSERT_TRUE(bucket >= std::min(n, 4500) && bucket <= 4500);
    ASSERT_LE(bucket * 2, n * 3) << "more than half as large again";
    ASSERT_EQ(library_bucket(bucket, 4500), bucket);
  }
}

class LibraryProductsTest : public ::testing::Test {
 protected:
  /// Steps of up to so many tokens have room for the sums of 256 rows.
  static constexpr int32_t kMaxTokens = 32768;
  static constexpr int32_t kTokens = 12;  // a bucket
  static constexpr int64_t kRows = 600;   // slabs of 256, 256 and 96

  /// None where a real device's machine has no library; the stand-in must be there.
  std::optional<LibraryProducts> prepare(const MatmulTask& task) {
    Result<ProductLibrary> library = ProductLibrary::open(device_.stream());
    if (!library.ok()) {
      why_ = library.error().message;
#if !defined(FORGE_REAL_DEVICE)
      ADD_FAILURE() << why_;
#endif
      return std::nullopt;
    }
    const std::array<MatmulTask, 1> tasks = {task};
    DeviceArena counting;
    (void)lay_out_library_scratch(tasks, kMaxTokens, counting);
    scratch_ = OnDevice::take(kernels::cuda::DeviceMemory::allocate(0, counting.used(), "scratch"));
    DeviceArena arena(scratch_.data(), scratch_.bytes());
    std::optional<LibraryProducts> products;
    products.emplace(
        std::move(library).value(),
        LibraryProducts::Setup{.device = device_.info(),
                               .least_tokens = 2,
                               .max_tokens = kMaxTokens,
                               .scratch = lay_out_library_scratch(tasks, kMaxTokens, arena),
                               .takes_all = true,
                               .on_note = {}});
    OnDevice::require(products->prepare(device_.stream(), [&](int32_t n) {
      return n == kTokens ? std::vector{task} : std::vector<MatmulTask>{};
    }));
    return products;
  }
  static MatmulTask with_tokens(MatmulTask task, int32_t n) {
    task.n_tokens = n;
    return task;
  }
  void multiply(std::optional<LibraryProducts>& library, const MatmulTask& task) {
    OnDevice::require(library ? library->matmul(device_.stream(), task)
                              : kernels::cuda::matmul(device_.stream(), device_.info(), task));
  }

  OnDevice device_;
  kernels::cuda::DeviceMemory scratch_;
  std::string why_;
#if !defined(FORGE_REAL_DEVICE)
  fake_cuda::UseStandin standin_;
#endif
};

TEST_F(LibraryProductsTest, EveryFinishOfEveryKindInSlabs) {
  const auto bias = device_.upload(kernels::cuda::random_floats(kRows, 9));
  const auto weight = device_.upload(kernels::cuda::random_floats(kRows, 11));
  const std::vector<float> before = kernels::cuda::random_floats(kTokens * 608, 10);
  for (const DType dtype : {DType::kBF16, DType::kQ4_0, DType::kQ6_K}) {
    for (const Finish finish : {Finish::kStore, Finish::kAdd, Finish::kGated, Finish::kLogits}) {
      SCOPED_TRACE(fmt::format("{} {}", info(dtype).name, static_cast<int>(finish)));
      MatmulCase product(device_, dtype, kRows, 256, kTokens);
      // y of either, with a next norm or maxima beside it.
      const auto run = [&](bool by_library, int32_t n_tokens, std::vector<float>& floats,
                           std::vector<uint16_t>& halves) {
        const auto y = device_.upload(before);
        const auto scaled = device_.array<uint16_t>(kTokens * 608);
        const auto beside = device_.array<float>(kTokens * 38);
        MatmulTask task = product.task();
        task.bias = bias.data();
        task.finish = finish;
        task.y = y.data();
        task.y_stride = 608;
        task.maxima = beside.data();
        if (finish == Finish::kGated) {
          task.y = scaled.data();
        } else if (finish == Finish::kAdd) {
          task.next = {weight.data(), scaled.data(), 608, beside.data()};
        }
        std::optional<LibraryProducts> library;
        if (by_library) {
          library = prepare(task);
          OnDevice::require(
              device_.stream().copy(y.data(), before.data(), kTokens * 608 * sizeof(float)));
          OnDevice::require(device_.stream().fill(scaled.data(), 0xFF, kTokens * 608 * 2));
          OnDevice::require(device_.stream().fill(beside.data(), 0xFF, kTokens * 38 * 4));
          if (!library) return false;
        }
        multiply(library, with_tokens(task, n_tokens));
        floats = device_.download(y);
        const std::vector<float> more = device_.download(beside);
        floats.insert(floats.end(), more.begin(), more.end());
        halves = device_.download(scaled);
        return true;
      };
      for (const int32_t n_tokens : {kTokens, kTokens - 2}) {
        std::vector<float> floats, expected_floats;
        std::vector<uint16_t> halves, expected_halves;
        ASSERT_TRUE(run(false, n_tokens, expected_floats, expected_halves));
        if (!run(true, n_tokens, floats, halves)) GTEST_SKIP() << why_;
        double largest = 1.0;
        for (const float value : expected_floats) {
          if (std::isfinite(value)) largest = std::max(largest, std::fabs(double{value}));
        }
        for (size_t i = 0; i < floats.size(); ++i) {
          // Padding of a row's logits is the sums'; nobody reads it.
          if (finish == Finish::kLogits && i < kTokens * 608 && i % 608 >= kRows) continue;
          if (std::isnan(expected_floats[i])) {
            ASSERT_TRUE(std::isnan(floats[i])) << i;
          } else {
            ASSERT_NEAR(floats[i], expected_floats[i], largest * 1e-5) << i;
          }
        }
        for (size_t i = 0; i < halves.size(); ++i) {
          const float want = bf16_to_f32(expected_halves[i]);
          if (std::isnan(want)) {
            ASSERT_EQ(halves[i], expected_halves[i]) << i;
          } else {
            // Gate and up are up to 100 in size, each off by 1e-5 of that, and multiplied.
            const double absolute = finish == Finish::kGated ? 0.1 : largest * 1e-4;
            ASSERT_NEAR(bf16_to_f32(halves[i]), want, std::fabs(want) * 0x1p-7 + absolute) << i;
          }
        }
      }
    }
  }
}

// The workspace and all addresses are fixed, so a recorded product runs again.
TEST_F(LibraryProductsTest, CanBeRecorded) {
  MatmulCase product(device_, DType::kQ8_0, kRows, 256, kTokens);
  const auto y = device_.array<float>(kTokens * 608);
  MatmulTask task = product.task();
  task.y = y.data();
  task.y_stride = 608;
  std::optional<LibraryProducts> library = prepare(task);
  if (!library) GTEST_SKIP() << why_;
  multiply(library, task);
  const std::vector<float> expected = device_.download(y);
  OnDevice::require(device_.stream().begin_recording());
  multiply(library, task);
  kernels::cuda::Graph graph = OnDevice::take(device_.stream().end_recording());
  for (int i = 0; i < 2; ++i) {
    OnDevice::require(device_.stream().fill(y.data(), 0xFF, kTokens * 608 * 4));
    OnDevice::require(graph.launch(device_.stream()));
    const std::vector<float> found = device_.download(y);
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0);
  }
}

}  // namespace
}  // namespace forge::models::cuda
