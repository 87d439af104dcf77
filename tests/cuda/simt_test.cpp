// Trusts: the CUDA programming guide, a plain matrix product in double.
#include "tests/simt/simt.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include "tests/simt/half_math.h"
#include "tests/simt/mma.h"

namespace forge::simt {
namespace {

constexpr Order kOrders[] = {Order::kForward, Order::kReverse, Order::kRandom, Order::kWarpByWarp};

Launch launch(uint32_t n_blocks, uint32_t n_threads, size_t shared_bytes = 0) {
  return {"a kernel", {n_blocks}, {n_threads}, shared_bytes};
}

std::string fault_of(const Launch& what, const std::function<void()>& body) {
  set({});
  try {
    run(what, body);
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "no fault";
}

// Every thread writes its number and reads its neighbour's. Returns how many read the right one.
int n_right(Order order, bool has_barrier) {
  set({.order = order, .seed = 3});
  std::vector<int> seen(256, -1);
  run(launch(2, 128, 128 * sizeof(int)), [&] {
    auto* numbers = reinterpret_cast<int*>(shared().data());
    const auto i = static_cast<int>(thread_idx().x);
    numbers[i] = i;
    if (has_barrier) barrier();
    seen[block_idx().x * 128 + thread_idx().x] = numbers[(i + 1) % 128];
  });
  int n = 0;
  for (int i = 0; i < 256; ++i) n += seen[static_cast<size_t>(i)] == (i + 1) % 128 ? 1 : 0;
  return n;
}

TEST(Simt, AMissingBarrierShows) {
  for (const Order order : kOrders) EXPECT_EQ(n_right(order, true), 256);
  EXPECT_LT(n_right(Order::kForward, false), 256);
  EXPECT_LT(n_right(Order::kRandom, false), 256);
  EXPECT_LT(n_right(Order::kWarpByWarp, false), 256);
}

TEST(Simt, BlocksRunInEveryOrder) {
  for (const Order order : kOrders) {
    set({.order = order, .seed = 5});
    std::vector<uint32_t> blocks;
    run(launch(40, 32), [&] {
      if (thread_idx().x == 0) blocks.push_back(block_idx().x);
    });
    std::vector<uint32_t> ascending(40);
    std::iota(ascending.begin(), ascending.end(), 0u);
    EXPECT_EQ(blocks == ascending, order == Order::kForward || order == Order::kWarpByWarp);
    std::sort(blocks.begin(), blocks.end());
    EXPECT_EQ(blocks, ascending);
  }
}

TEST(Simt, LanesThatPartAreAFault) {
  const std::string fault = fault_of(launch(1, 64), [] {
    if (lane() < 5) {
      (void)meet("shuffle", 1, Where::current());
    } else {
      (void)meet("ballot", 1, Where::current());
    }
  });
  EXPECT_NE(fault.find("a kernel, block (0, 0, 0): "), std::string::npos) << fault;
  EXPECT_NE(fault.find("while other lanes of its warp are in shuffle"), std::string::npos) << fault;
}

TEST(Simt, ABarrierThatNotAllReachIsAFault) {
  const std::string fault = fault_of(launch(1, 64), [] {
    if (thread_idx().x == 0) {
      (void)meet("shuffle", 1, Where::current());
    } else {
      barrier();
    }
  });
  EXPECT_NE(fault.find("nobody can go on"), std::string::npos) << fault;
  EXPECT_NE(fault.find("in __syncthreads at "), std::string::npos) << fault;
}

// Threads that have ended are not waited for, as on the device.
TEST(Simt, ABarrierIsOfThoseWhoAreStillThere) {
  int n = 0;
  run(launch(1, 64), [&] {
    if (thread_idx().x >= 32) return;
    barrier();
    ++n;
  });
  EXPECT_EQ(n, 32);
}

TEST(Simt, CopiesArriveWhenTheyAreWaitedFor) {
  set({});
  std::vector<uint32_t> from(32 * 4);
  std::iota(from.begin(), from.end(), 7u);
  run(launch(1, 32, 512), [&] {
    auto* to = reinterpret_cast<uint32_t*>(shared().data()) + thread_idx().x * 4;
    copy_async(to, from.data() + thread_idx().x * 4, 16);
    commit_copies();
    EXPECT_EQ(to[0], 0xFFFFFFFFu);
    wait_copies(1);
    EXPECT_EQ(to[0], 0xFFFFFFFFu);
    wait_copies(0);
    EXPECT_EQ(to[0], 7u + thread_idx().x * 4);
    EXPECT_EQ(to[3], 10u + thread_idx().x * 4);
  });
  const std::string fault = fault_of(launch(1, 32, 512), [&] {
    copy_async(shared().data(), from.data(), 16);
    commit_copies();
  });
  EXPECT_NE(fault.find("ended with asynchronous copies under way"), std::string::npos) << fault;
}

TEST(Simt, MmaIsTheProduct) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> a(16 * 16);
  std::vector<float> b(16 * 8);
  for (float* matrix : {a.data(), b.data()}) {
    const int n = matrix == a.data() ? 256 : 128;
    for (int i = 0; i < n; ++i) matrix[i] = bf16_of(pack_bf16(normal(random), 0.0f) & 0xFFFFu);
  }
  for (const Order order : kOrders) {
    set({.order = order, .seed = 9});
    std::vector<float> product(16 * 8);
    run(launch(1, 32), [&] {
      const auto g = static_cast<size_t>(lane() / 4);
      const auto t = static_cast<size_t>(lane() % 4);
      const auto pair_a = [&](size_t row, size_t k) {
        return pack_bf16(a[row * 16 + k], a[row * 16 + k + 1]);
      };
      const auto pair_b = [&](size_t k, size_t column) {
        return pack_bf16(b[k * 8 + column], b[(k + 1) * 8 + column]);
      };
      const uint32_t of_a[4] = {pair_a(g, 2 * t), pair_a(g + 8, 2 * t), pair_a(g, 2 * t + 8),
                                pair_a(g + 8, 2 * t + 8)};
      const uint32_t of_b[2] = {pair_b(2 * t, g), pair_b(2 * t + 8, g)};
      float d[4] = {1.0f, 2.0f, 3.0f, 4.0f};
      mma_m16n8k16(HalfKind::kBf16, of_a, of_b, d, Where::current());
      for (size_t i = 0; i < 4; ++i) {
        product[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i] - static_cast<float>(i + 1);
      }
    });
    for (size_t row = 0; row < 16; ++row) {
      for (size_t column = 0; column < 8; ++column) {
        double sum = 0.0;
        for (size_t k = 0; k < 16; ++k) {
          sum += static_cast<double>(a[row * 16 + k]) * static_cast<double>(b[k * 8 + column]);
        }
        EXPECT_NEAR(product[row * 8 + column], sum, 1e-5) << row << " " << column;
      }
    }
  }
}

// Of numbers with more bits than TF32 has: those are cut off, so that a kernel which does not round
// shows.
TEST(Simt, MmaOfTf32CutsNumbersOff) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> a(16 * 8);
  std::vector<float> b(8 * 8);
  for (float& value : a) value = normal(random);
  for (float& value : b) value = normal(random);
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  const auto cut = [&](float value) {
    return static_cast<double>(std::bit_cast<float>(bits(value) & 0xFFFFE000u));
  };
  for (const Order order : kOrders) {
    set({.order = order, .seed = 9});
    std::vector<float> product(16 * 8);
    run(launch(1, 32), [&] {
      const auto g = static_cast<size_t>(lane() / 4);
      const auto t = static_cast<size_t>(lane() % 4);
      const uint32_t of_a[4] = {bits(a[g * 8 + t]), bits(a[(g + 8) * 8 + t]),
                                bits(a[g * 8 + t + 4]), bits(a[(g + 8) * 8 + t + 4])};
      const uint32_t of_b[2] = {bits(b[t * 8 + g]), bits(b[(t + 4) * 8 + g])};
      float d[4] = {1.0f, 2.0f, 3.0f, 4.0f};
      mma_m16n8k8(of_a, of_b, d, Where::current());
      for (size_t i = 0; i < 4; ++i) {
        product[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i] - static_cast<float>(i + 1);
      }
    });
    for (size_t row = 0; row < 16; ++row) {
      for (size_t column = 0; column < 8; ++column) {
        double sum = 0.0;
        for (size_t k = 0; k < 8; ++k) sum += cut(a[row * 8 + k]) * cut(b[k * 8 + column]);
        EXPECT_NEAR(product[row * 8 + column], sum, 1e-5) << row << " " << column;
      }
    }
  }
}

TEST(HalfMath, Tf32IsTheNearestTiesAwayFromZero) {
  const auto rounded = [](float value) { return std::bit_cast<float>(round_tf32(value)); };
  EXPECT_EQ(rounded(1.0f + 0x1p-11f), 1.0f + 0x1p-10f);
  EXPECT_EQ(rounded(-1.0f - 0x1p-11f), -1.0f - 0x1p-10f);
  EXPECT_EQ(rounded(1.0f + 0x1p-11f - 0x1p-23f), 1.0f);
  EXPECT_EQ(rounded(0x1.FFFFFEp10f), 0x1p11f);
  EXPECT_EQ(rounded(-INFINITY), -INFINITY);
  EXPECT_TRUE(std::isnan(rounded(std::bit_cast<float>(0x7FFFFFFFu))));
}

TEST(HalfMath, OneRounding) {
  // 1 + 2^-8 is a tie of bf16 and goes to even; anything above it does not.
  const uint32_t one = pack_bf16(1.0f, 1.0f);
  const uint32_t tie = pack_bf16(0x1p-8f, 0x1p-8f);
  EXPECT_EQ(fma_bf16x2(one, tie, one), one);
  const uint32_t tiny = pack_bf16(0x1p-100f, 0x1p-100f);
  const uint32_t above = pack_bf16(0x1.02p-8f, 0x1.02p-8f);
  EXPECT_EQ(bf16_of(fma_bf16x2(one, above, one) & 0xFFFFu), 1.0078125f);
  // c is the tie's neighbour 1 + 2^-7 less half of a step, from which a tiny product takes away.
  const uint32_t minus_tiny = pack_bf16(-0x1p-100f, -0x1p-100f);
  EXPECT_EQ(fma_bf16x2(tiny, one, one), one);
  EXPECT_EQ(fma_bf16x2(minus_tiny, one, one), one);
  // f16: 2048 + 1 is a tie; with a little more it goes up, which two roundings would miss.
  const uint32_t big = pack_f16(2048.0f, 2048.0f);
  const uint32_t x = pack_f16(1.0009765625f, 1.0f);  // 1 + 2^-10
  const uint32_t y = pack_f16(1.0f, 1.0f);
  EXPECT_EQ(f16_of(fma_f16x2(x, y, big) & 0xFFFFu), 2050.0f);
  EXPECT_EQ(f16_of(fma_f16x2(x, y, big) >> 16), 2048.0f);
}

}  // namespace
}  // namespace forge::simt
