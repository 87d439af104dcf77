// Attention over the cache in cells, at every ISA level this machine runs: against softmax in
// float64, and against itself cut in other ways, bit for bit.
#include <gtest/gtest.h>

#include "forge/base/float16.h"
#include "tests/kernels/cpu_kv_sequence.h"

namespace forge::kernels::cpu {
namespace {

constexpr KvType kTypes[] = {KvType::kBf16, KvType::kF16, KvType::kF32, KvType::kInt8};
constexpr const char* kTypeNames[] = {"bf16", "f16", "f32", "int8"};

std::vector<IsaLevel> levels() {
  std::vector<IsaLevel> usable;
  for (const IsaLevel level : built_levels()) {
    if (is_supported(level)) usable.push_back(level);
  }
  return usable;
}

std::string describe(IsaLevel level, const KvShape& s) {
  return std::string(name(level)) + " " + kTypeNames[static_cast<int>(s.type)] + " head_dim " +
         std::to_string(s.head_dim) + " group " + std::to_string(s.group) + " tokens " +
         std::to_string(s.n_tokens) + " window " + std::to_string(s.window);
}

/// x as the cache (or the query) of a type holds it.
void round_row(KvType type, float* x, int32_t n) {
  float largest = 0.0f;
  for (int32_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  for (int32_t i = 0; i < n; ++i) {
    if (type == KvType::kBf16) x[i] = bf16_to_f32(f32_to_bf16(x[i]));
    if (type == KvType::kF16) x[i] = f16_to_f32(f32_to_f16(x[i]));
    if (type == KvType::kInt8) {
      x[i] = largest / 127.0f * std::nearbyintf(x[i] * (127.0f / largest));
    }
  }
}

/// Mean of squared errors over mean of squares, against float64.
double nmse(const KvSequence& s, int32_t begin, const std::vector<float>& out, bool rounds_inputs) {
  const int32_t d = s.shape.head_dim;
  std::vector<float> k = s.k;
  std::vector<float> v = s.v;
  std::vector<float> q = s.q;
  // Queries are rounded after scaling; f16 caches leave them alone.
  const float factor = s.scale() * 1.44269504f;
  for (float& x : q) x *= factor;
  if (rounds_inputs) {
    for (int32_t t = 0; t < s.shape.n_tokens; ++t) {
      round_row(s.shape.type, k.data() + t * d, d);
      round_row(s.shape.type, v.data() + t * d, d);
      for (int32_t g = 0; g < s.shape.group && s.shape.type != KvType::kF16; ++g) {
        round_row(s.shape.type, q.data() + (t * s.shape.group + g) * d, d);
      }
    }
  }
  double error = 0.0;
  double total = 1e-30;
  for (size_t c = 0; c < out.size() / static_cast<size_t>(d); ++c) {
    const int32_t t = begin + static_cast<int32_t>(c) / s.shape.group;
    const int32_t first = s.shape.window > 0 ? std::max(0, t - s.shape.window + 1) : 0;
    const float* qc = q.data() + begin * s.shape.group * d + static_cast<int64_t>(c) * d;
    std::vector<double> p;
    for (int32_t j = first; j <= t; ++j) {
      double score = 0.0;
      for (int32_t i = 0; i < d; ++i) score += static_cast<double>(qc[i]) * k[j * d + i];
      p.push_back(score);
    }
    const double largest = *std::max_element(p.begin(), p.end());
    double sum = 0.0;
    for (double& x : p) sum += x = std::exp2(x - largest);
    for (int32_t i = 0; i < d; ++i) {
      double y = 0.0;
      for (int32_t j = first; j <= t; ++j) y += p[j - first] * v[j * d + i];
      y /= sum;
      const double e = out[c * static_cast<size_t>(d) + static_cast<size_t>(i)] - y;
      error += e * e;
      total += y * y;
    }
  }
  return error / total;
}

/// On inputs that are not rounded: 1e-5 for bf16, 5e-4 for int8, 1e-9 for f32. A bf16 rounding has
/// a mean square of e = 2^-16 / 3 at most, half of it on average; q and k count times the variance
/// of the scores (1/4), v and the weights once: 2.5 roundings, 6.4e-6 on average. On rounded
/// inputs: weights, e = 5.1e-6, twice that for int8, whose weights are scaled and rounded again.
/// f32 sums of up to 1100 terms: 1e-11.
constexpr double kUnroundedBound[] = {1e-5, 1e-6, 1e-9, 5e-4};
constexpr double kRoundedBound[] = {5.1e-6, 1e-11, 1e-11, 1.02e-5};

void expect_close(IsaLevel level, const KvShape& shape) {
  KvSequence s(kernels_of(level), shape, 11, 3, 0xFF);
  s.append(0, shape.n_tokens);
  // The last rows: their spans, tiles and windows end where the sequence does.
  const int32_t begin = std::max(0, shape.n_tokens - 20);
  const std::vector<float> out = s.attend(begin, shape.n_tokens, {20, false});
  const auto type = static_cast<size_t>(shape.type);
  EXPECT_LE(nmse(s, begin, out, true), kRoundedBound[type]) << describe(level, shape);
  // Shorter heads have few terms to average over: their sums are only compared on the same inputs.
  if (shape.head_dim < 32) return;
  EXPECT_LE(nmse(s, begin, out, false), kUnroundedBound[type]) << describe(level, shape);
}

TEST(CpuAttention, agrees_with_float64) {
  for (const IsaLevel level : levels()) {
    for (const KvType type : kTypes) {
      for (const int32_t n : {1, 15, 16, 17, 63, 64, 65, 511, 512, 513, 1100}) {
        expect_close(level, {type, 64, 3, n});
      }
      for (const int32_t head_dim : {8, 16, 24, 80, 96, 128, 256}) {
        expect_close(level, {type, head_dim, 2, 100});
      }
      for (const int32_t group : {1, 2, 7, 8}) expect_close(level, {type, 32, group, 150});
      for (const int32_t window : {1, 5, 16, 63, 64, 100, 512, 600}) {
        expect_close(level, {type, 16, 2, 1100, window});
      }
    }
  }
}

/// Every row's bits, whole or cut: one item, an item per row, tiles, spans apart and merged, chunks
/// attended before later tokens are in the cache, other blocks, other stale contents.
void expect_same_bits(IsaLevel level, const KvShape& shape) {
  const KernelTable& table = kernels_of(level);
  const int32_t n = shape.n_tokens;
  KvSequence s(table, shape, 5, 7, 0);
  s.append(0, n);
  const std::vector<float> whole = s.attend(0, n, {n, false});
  const auto expect_equal = [&](const std::vector<float>& out, int32_t begin, const char* what) {
    const size_t at =
        static_cast<size_t>(begin * shape.group) * static_cast<size_t>(shape.head_dim);
    ASSERT_EQ(std::memcmp(out.data(), whole.data() + at, out.size() * sizeof(float)), 0)
        << what << " from row " << begin << ": " << describe(level, shape);
  };
  expect_equal(s.attend(0, n, {n, true}), 0, "merged");
  for (const int32_t rows : {1, 2, 5, 16, 33}) {
    const int32_t begin = rows < 5 ? std::max(0, n - 70) : 0;
    expect_equal(s.attend(begin, n, {rows, false}), begin, "cut");
    expect_equal(s.attend(begin, n, {rows, true}), begin, "cut and merged");
  }
  for (const int32_t chunk : {1, 7, 64, 100, 513}) {
    if (chunk == 1 && n > 100) continue;
    KvSequence chunked(table, shape, 5, static_cast<uint32_t>(chunk), 0xFF);
    for (int32_t begin = 0; begin < n; begin += chunk) {
      const int32_t end = std::min(begin + chunk, n);
      chunked.append(begin, end);
      expect_equal(chunked.attend(begin, end, {40, chunk == 7}), begin, "in chunks");
    }
  }
}

TEST(CpuAttention, a_row_has_the_same_bits_however_the_work_is_cut) {
  for (const IsaLevel level : levels()) {
    for (const KvType type : kTypes) {
      for (const int32_t n : {1, 15, 16, 17, 63, 64, 65}) {
        expect_same_bits(level, {type, 24, 3, n});
      }
      // Plain C++ takes a hundred times as long; its loops are the same.
      const bool is_scalar = level == IsaLevel::kScalar;
      for (const int32_t n : {511, 512, 513}) {
        if (!is_scalar || type == KvType::kBf16) expect_same_bits(level, {type, 16, 1, n});
      }
      expect_same_bits(level, {type, 64, 2, 100});
      expect_same_bits(level, {type, 80, 7, 70});
      expect_same_bits(level, {type, 16, 8, 90});
      if (!is_scalar) expect_same_bits(level, {type, 8, 3, 1100});
      for (const int32_t window : {1, 7, 40, 64, 300}) {
        expect_same_bits(level, {type, 16, 2, 150, window});
      }
      if (!is_scalar) expect_same_bits(level, {type, 16, 2, 1100, 520});
    }
  }
}

TEST(CpuAttention, ignores_what_a_window_has_passed) {
  for (const IsaLevel level : levels()) {
    for (const KvType type : kTypes) {
      const KvShape shape{type, 32, 3, 700, 70};
      KvSequence s(kernels_of(level), shape, 5, 7, 0);
      s.append(0, 700);
      const std::vector<float> before = s.attend(690, 700, {10, true});
      // Blocks before the window (of 690: from 621) have been given away; reading them would crash.
      for (int32_t b = 0; b < 621 / 16; ++b) s.blocks[static_cast<size_t>(b)] = 1 << 28;
      EXPECT_EQ(s.attend(690, 700, {10, true}), before) << describe(level, shape);
      EXPECT_EQ(s.attend(690, 700, {10, false}), before) << describe(level, shape);
    }
  }
}

TEST(CpuAttention, appending_tokens_one_by_one_is_appending_many) {
  for (const IsaLevel level : levels()) {
    for (const KvType type : kTypes) {
      for (const int32_t head_dim : {8, 24, 128}) {
        const KvShape shape{type, head_dim, 1, 53};
        KvSequence many(kernels_of(level), shape, 5, 7, 0x11);
        KvSequence few(kernels_of(level), shape, 5, 7, 0x11);
        many.append(0, 53);
        for (int32_t t = 0; t < 53; ++t) few.append(t, t + 1);
        EXPECT_EQ(std::memcmp(many.cache.data(), few.cache.data(), many.cache.bytes()), 0)
            << describe(level, shape);
        // Other heads of the blocks, and the block that holds no token, keep their bytes.
        for (size_t i = 0; i < many.cache.bytes(); ++i) {
          const auto at = static_cast<int64_t>(i) % many.stride;
          const bool is_other_head = at < many.head_bytes || at >= 2 * many.head_bytes;
          const bool is_unused = static_cast<int64_t>(i) / many.stride == many.blocks.back();
          if (!is_other_head && !is_unused) continue;
          ASSERT_EQ(many.cache.data()[i], std::byte{0x11}) << describe(level, shape) << " at " << i;
        }
      }
    }
  }
}

TEST(CpuAttention, every_level_rounds_into_the_cache_alike) {
  for (const KvType type : kTypes) {
    const KvShape shape{type, 80, 1, 40};
    KvSequence scalar(kernels_of(IsaLevel::kScalar), shape, 5, 7, 0);
    scalar.append(0, 40);
    for (const IsaLevel level : levels()) {
      KvSequence s(kernels_of(level), shape, 5, 7, 0);
      s.append(0, 40);
      EXPECT_EQ(std::memcmp(s.cache.data(), scalar.cache.data(), s.cache.bytes()), 0)
          << describe(level, shape);
    }
  }
}

TEST(CpuAttention, large_scores_and_values_stay_finite) {
  for (const IsaLevel level : levels()) {
    for (const KvType type : kTypes) {
      const KvShape shape{type, 16, 2, 70};
      KvSequence s(kernels_of(level), shape, 5, 7, 0);
      for (float& x : s.k) x *= 1e5f;  // beyond f16
      for (float& x : s.q) x *= 1e5f;
      s.append(0, 70);
      for (const float y : s.attend(0, 70, {70, false})) {
        ASSERT_TRUE(std::isfinite(y)) << describe(level, shape);
      }
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cpu
