// Reference: softmax in two passes over an unpaged copy of keys and values, in long double.
#include "forge/kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "forge/kernels/kv_append.h"
#include "tests/kernels/test_matrix.h"

namespace forge::kernels {
namespace {

// One sequence with its own shuffled blocks in a cache that holds NaN everywhere else.
struct PagedSequence {
  int32_t n_kv_heads;
  int32_t head_dim;
  int32_t n_blocks;
  std::vector<float> k_cache;
  std::vector<float> v_cache;
  std::vector<int32_t> block_table;
  TestMatrix k;
  TestMatrix v;

  PagedSequence(int32_t kv_len, int32_t kv_heads, int32_t dim, uint32_t seed)
      : n_kv_heads(kv_heads),
        head_dim(dim),
        n_blocks((kv_len + kBlockLen - 1) / kBlockLen + 2),
        k_cache(static_cast<size_t>(n_blocks * kv_heads * kBlockLen * dim), NAN),
        v_cache(k_cache),
        k(kv_len, int64_t{kv_heads} * dim, seed),
        v(kv_len, int64_t{kv_heads} * dim, seed + 1) {
    for (int32_t b = 0; b < n_blocks; ++b) block_table.push_back(b);
    std::shuffle(block_table.begin(), block_table.end(), std::mt19937(seed));
  }

  KvLayerView cache() {
    return {.k = k_cache.data(),
            .v = v_cache.data(),
            .n_blocks = n_blocks,
            .n_kv_heads = n_kv_heads,
            .head_dim = head_dim};
  }

  // Appends rows [begin, end) and attends with the same rows of q.
  void step(TestMatrix& q, TestMatrix& out, int32_t begin, int32_t end, const AttentionSpec& spec,
            ThreadPool& pool) {
    const SequenceRows rows{
        .row_begin = 0, .row_end = end - begin, .kv_len = end, .block_table = block_table};
    const PagedBatch batch{.sequences = {&rows, 1}};
    const auto slice = [&](TestMatrix& matrix) {
      ActivationView view = matrix.view();
      view.data = view.row(begin);
      view.rows = end - begin;
      return view;
    };
    kv_append(slice(k), slice(v), batch, cache(), {&pool});
    attention(slice(q), batch, cache(), spec, slice(out), {&pool});
  }
};

std::vector<double> expected_head(const TestMatrix& q, const PagedSequence& s, int32_t position,
                                  int32_t head, const AttentionSpec& spec) {
  const int32_t kv_column = head / (spec.n_heads / s.n_kv_heads) * s.head_dim;
  const int32_t first =
      spec.sliding_window > 0 ? std::max(0, position - spec.sliding_window + 1) : 0;
  std::vector<long double> scores;
  for (int32_t p = first; p <= position; ++p) {
    long double score = 0;
    for (int32_t i = 0; i < s.head_dim; ++i) {
      score += static_cast<long double>(q.at(position, head * s.head_dim + i)) *
               s.k.at(p, kv_column + i);
    }
    scores.push_back(score * spec.scale);
  }
  const long double largest = *std::max_element(scores.begin(), scores.end());
  long double total = 0;
  for (long double& score : scores) total += score = std::exp(score - largest);
  std::vector<double> out;
  for (int32_t i = 0; i < s.head_dim; ++i) {
    long double sum = 0;
    for (int32_t p = first; p <= position; ++p) {
      sum += scores[static_cast<size_t>(p - first)] * s.v.at(p, kv_column + i);
    }
    out.push_back(static_cast<double>(sum / total));
  }
  return out;
}

TEST(Attention, MatchesSoftmaxForGroupedHeadsAndWindows) {
  ThreadPool pool(2);
  for (const int32_t n_kv_heads : {1, 2, 4}) {
    for (const int32_t window : {0, 1, 5, 16, 40}) {
      const int32_t kv_len = 53;
      const int32_t head_dim = 24;
      PagedSequence sequence(kv_len, n_kv_heads, head_dim, 81);
      TestMatrix q(kv_len, 4 * head_dim, 91, 2.0f);
      TestMatrix out = TestMatrix::poisoned(kv_len, 4 * head_dim);
      const AttentionSpec spec{.n_heads = 4, .sliding_window = window, .scale = 0.2f};
      sequence.step(q, out, 0, kv_len, spec, pool);
      for (int32_t t = 0; t < kv_len; ++t) {
        for (int32_t h = 0; h < 4; ++h) {
          const std::vector<double> expected = expected_head(q, sequence, t, h, spec);
          for (int32_t i = 0; i < head_dim; ++i) {
            // Values are about 1; one rounding to f32 and the doubles' own error.
            EXPECT_NEAR(out.at(t, h * head_dim + i), expected[static_cast<size_t>(i)], 5e-7)
                << "kv heads " << n_kv_heads << " window " << window << " token " << t;
          }
        }
      }
      EXPECT_TRUE(out.gaps_untouched());
    }
  }
}

TEST(Attention, OneChunkHasTheBitsOfAnyChunking) {
  const AttentionSpec spec{.n_heads = 4, .sliding_window = 0, .scale = 0.25f};
  const int32_t kv_len = 50;
  TestMatrix q(kv_len, 64, 92);
  TestMatrix whole = TestMatrix::poisoned(kv_len, 64);
  ThreadPool one(1);
  PagedSequence(kv_len, 2, 16, 82).step(q, whole, 0, kv_len, spec, one);
  for (const int32_t chunk : {1, 2, 7, 16, 17, 49}) {
    ThreadPool pool(3);
    PagedSequence sequence(kv_len, 2, 16, 82);
    TestMatrix out = TestMatrix::poisoned(kv_len, 64);
    for (int32_t begin = 0; begin < kv_len; begin += chunk) {
      sequence.step(q, out, begin, std::min(begin + chunk, kv_len), spec, pool);
    }
    EXPECT_TRUE(out.same_values(whole)) << chunk;
  }
}

TEST(Attention, LargeScoresDoNotOverflow) {
  ThreadPool pool(1);
  PagedSequence sequence(20, 1, 8, 83);
  TestMatrix q(20, 8, 93, 1e6f);
  TestMatrix out = TestMatrix::poisoned(20, 8);
  const AttentionSpec spec{.n_heads = 1, .sliding_window = 0, .scale = 1.0f};
  sequence.step(q, out, 0, 20, spec, pool);
  for (int32_t t = 0; t < 20; ++t) {
    const std::vector<double> expected = expected_head(q, sequence, t, 0, spec);
    for (int32_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(out.at(t, i), expected[static_cast<size_t>(i)], 5e-7);
    }
  }
}

}  // namespace
}  // namespace forge::kernels
