// Trusts: softmax(q K^T) V in double over the cache's numbers, read by the layout's definition.
#include <algorithm>
#include <cmath>

#include "tests/cuda/attention_batch.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

using Entry = AttentionBatch::Entry;
using Bounds = AttentionBatch::Bounds;

/// The exponent of half a last bit of numbers about 1.
int half_exponent(ProductType product_type) {
  return product_type == ProductType::kBf16 ? -8 : -11;
}

constexpr KvType kTypes[] = {KvType::kPlain, KvType::kFp8, KvType::kInt8};

/// Compares the rows of the entries with the plain sum, and sees that no other row was written.
void check(AttentionBatch& batch, const BatchOptions& options, const std::vector<Entry>& entries,
           const std::vector<uint32_t>& out) {
  const HeadShape& heads = options.heads;
  const std::vector<uint32_t> q = batch.queries();
  const std::vector<uint8_t> keys = batch.keys();
  const std::vector<uint8_t> values = batch.values();
  const auto dim = static_cast<size_t>(heads.head_dim);
  const size_t width = static_cast<size_t>(heads.n_heads) * dim;
  std::vector<bool> is_written(static_cast<size_t>(batch.n_rows()), false);
  for (const Entry& entry : entries) {
    for (int32_t p = entry.begin; p < entry.end; ++p) {
      const auto row = static_cast<size_t>(batch.first_row(entry.sequence) + p);
      is_written[row] = true;
      const int32_t from = options.window > 0 ? std::max(0, p + 1 - options.window) : 0;
      for (int32_t head = 0; head < heads.n_heads; ++head) {
        const int32_t kv_head = head / (heads.n_heads / heads.n_kv_heads);
        const uint32_t* query =
            q.data() + (row * static_cast<size_t>(heads.n_heads) + static_cast<size_t>(head)) *
                           static_cast<size_t>(batch.padded());
        std::vector<double> weights;
        double most = -INFINITY;
        for (int32_t s = from; s <= p; ++s) {
          double score = 0.0;
          for (int32_t d = 0; d < heads.head_dim; ++d) {
            score += half_number(query[d], options.product_type) *
                     batch.cached(keys, true, entry.sequence, s, kv_head, d);
          }
          weights.push_back(score * 0.125);
          most = std::max(most, weights.back());
        }
        double sum = 0.0;
        for (double& weight : weights) sum += weight = std::exp(weight - most);
        for (size_t d = 0; d < dim; ++d) {
          double expected = 0.0;
          double size = 0.0;
          for (int32_t s = from; s <= p; ++s) {
            const double v =
                batch.cached(values, false, entry.sequence, s, kv_head, static_cast<int32_t>(d));
            expected += weights[static_cast<size_t>(s - from)] / sum * v;
            size += weights[static_cast<size_t>(s - from)] / sum * std::abs(v);
          }
          // bf16 rounds by up to 2^-8: the result, and weights, whose errors largely cancel (8-bit
          // types round them twice). f16 and TF32 by 2^-11. Numbers in f32 are cut in two, 2^-22 of
          // a product, which scores of up to 20 pass on to weights.
          const double tolerance =
              options.product_type == ProductType::kF32
                  ? size * 0x1p-17
                  : size * std::ldexp(1.6, half_exponent(options.product_type)) + 1e-5;
          const double got = half_number(out[row * width + static_cast<size_t>(head) * dim + d],
                                         options.product_type);
          ASSERT_NEAR(got, expected, tolerance)
              << "position " << p << ", head " << head << ", dimension " << d;
        }
      }
    }
  }
  for (size_t row = 0; row < is_written.size(); ++row) {
    if (is_written[row]) continue;
    for (size_t i = 0; i < width; ++i) {
      ASSERT_EQ(out[row * width + i], unwritten(options.product_type)) << "row " << row;
    }
  }
}

void check(const BatchOptions& options, const std::vector<Entry>& entries) {
  OnDevice device;
  AttentionBatch batch(device, options);
  batch.append_all();
  const std::vector<uint32_t> out = batch.attend(entries);
  check(batch, options, entries, out);
  in_every_order([&] { EXPECT_EQ(batch.attend(entries), out); });
}

/// The last position of each sequence.
std::vector<Entry> decodes(const BatchOptions& options) {
  std::vector<Entry> entries;
  for (size_t s = 0; s < options.kv_lens.size(); ++s) {
    entries.push_back({s, options.kv_lens[s] - 1, options.kv_lens[s]});
  }
  return entries;
}

TEST(Attention, DecodesOfAnyLength) {
  const BatchOptions options{.kv_lens = {1, 2, 15, 16, 17, 63, 64, 65, 130, 255, 256, 257, 600}};
  check(options, decodes(options));
}

TEST(Attention, EveryHeadSizeAndType) {
  for (const KvType type : kTypes) {
    for (const int32_t head_dim : {8, 32, 64, 80, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      const BatchOptions options{.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
                                 .type = type,
                                 .kv_lens = {70, 300},
                                 .rotary_dim = head_dim};
      check(options, decodes(options));
    }
  }
}

TEST(Attention, InF16) {
  for (const KvType type : kTypes) {
    for (const int32_t head_dim : {32, 64, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      const BatchOptions options{.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
                                 .type = type,
                                 .product_type = ProductType::kF16,
                                 .kv_lens = {70, 300},
                                 .rotary_dim = head_dim};
      OnDevice device;
      AttentionBatch batch(device, options);
      batch.append_all();
      check(batch, options, decodes(options), batch.attend(decodes(options)));
    }
  }
}

TEST(Attention, InFourBytes) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    for (const int32_t head_dim : {8, 32, 64, 80, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      const BatchOptions options{.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
                                 .product_type = product_type,
                                 .kv_lens = {70, 300},
                                 .rotary_dim = head_dim};
      OnDevice device;
      AttentionBatch batch(device, options);
      batch.append_all();
      check(batch, options, decodes(options), batch.attend(decodes(options)));
    }
  }
}

TEST(Attention, GroupsOfAnySize) {
  for (const int32_t group : {1, 2, 7, 16, 17, 33}) {
    SCOPED_TRACE(group);
    const BatchOptions options{.heads = {.n_heads = 2 * group, .n_kv_heads = 2, .head_dim = 32},
                               .kv_lens = {40, 261},
                               .rotary_dim = 32};
    check(options, {{0, 39, 40}, {1, 259, 261}});
  }
}

TEST(Attention, Windows) {
  for (const int32_t window : {1, 5, 64, 200, 257, 1000}) {
    SCOPED_TRACE(window);
    const BatchOptions options{.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 32},
                               .kv_lens = {30, 270, 515},
                               .rotary_dim = 32,
                               .window = window};
    check(options, decodes(options));
    check(options, {{2, 510, 515}, {0, 29, 30}});
  }
}

TEST(Attention, BlocksBeforeTheWindowAreNotRead) {
  // Positions before 512 are in nobody's table.
  OnDevice device;
  const BatchOptions options{.kv_lens = {700}, .window = 100};
  AttentionBatch batch(device, options);
  batch.append_all();
  const std::vector<uint32_t> expected = batch.attend({{0, 699, 700}});
  batch.forget_blocks(0, 512 / kKvBlock);
  EXPECT_EQ(batch.attend({{0, 699, 700}}), expected);
}

// What the bounds of a task, the rest of the batch and the way through the kernels may not change.
void check_bits(const BatchOptions& options, const std::vector<Entry>& entries) {
  OnDevice device;
  AttentionBatch batch(device, options);
  batch.append_all();
  const std::vector<uint32_t> expected = batch.attend(entries);
  const std::vector<uint8_t> keys = batch.keys();
  const std::vector<uint8_t> values = batch.values();
  EXPECT_EQ(batch.attend(entries, {.more_sequences = 40}), expected);
  EXPECT_EQ(batch.attend(entries, {.more_rows = 3, .more_kv_len = 5000}), expected);
  const size_t width =
      static_cast<size_t>(options.heads.n_heads) * static_cast<size_t>(options.heads.head_dim);
  for (const Entry& entry : entries) {
    const std::vector<uint32_t> alone = batch.attend({entry});
    for (int32_t p = entry.begin; p < entry.end; ++p) {
      const size_t at = static_cast<size_t>(batch.first_row(entry.sequence) + p) * width;
      EXPECT_TRUE(std::equal(&alone[at], &alone[at] + width, &expected[at])) << p;
    }
  }
  in_every_order([&] {
    batch.clear_cache();
    for (const Entry& entry : entries) batch.append(entry.sequence, 0, entry.begin);
    EXPECT_EQ(batch.attend(entries, {.more_sequences = 1, .is_fused = true}), expected);
    EXPECT_EQ(batch.keys(), keys);
    EXPECT_EQ(batch.values(), values);
  });
}

TEST(Attention, TheSameBitsHoweverItIsDone) {
  for (const KvType type : kTypes) {
    const BatchOptions options{
        .type = type, .kv_lens = {1, 64, 300, 257, 700}, .has_norms = true, .has_long = true};
    check_bits(options, decodes(options));
  }
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    const BatchOptions options{
        .product_type = product_type, .kv_lens = {1, 64, 300}, .has_norms = true};
    check_bits(options, decodes(options));
  }
}

// What f16 has no room for, in a query, a key or a value of position 64: whoever looks at it gets
// no number, and nobody else does. 8-bit types have room for keys; of values the result may have.
// Alone in its tile, so that its own query sees nothing else there. Mutations that were seen: keys
// that are not spoilt by themselves or by values, values that are not finite, weights by maxima.
TEST(Attention, WhatF16HasNoRoomForIsSeenByItsReadersOnly) {
  const auto n_bad = [](const std::vector<uint32_t>& out, size_t row, size_t head) {
    const uint32_t* values = out.data() + (row * 4 + head) * 64;
    return std::count_if(values, values + 64, [](uint32_t bits) {
      return !std::isfinite(half_number(bits, ProductType::kF16));
    });
  };
  // Heads 0 and 1 share keys and values 0: columns 256 and 384 on.
  for (const int32_t column : {5, 256 + 5, 384 + 5}) {
    for (const KvType type : kTypes) {
      SCOPED_TRACE(column);
      OnDevice device;
      const BatchOptions options{.type = type,
                                 .product_type = ProductType::kF16,
                                 .kv_lens = {90, 90},
                                 .huge = {.row = 64, .column = column, .value = -1e5f}};
      AttentionBatch batch(device, options);
      batch.append_all();
      const std::vector<Entry> rows{{0, 40, 90}, {1, 60, 90}};
      const std::vector<uint32_t> whole = batch.attend(rows);
      std::vector<Entry> alone;
      for (int32_t p = 40; p < 90; ++p) alone.push_back({0, p, p + 1});
      for (int32_t p = 60; p < 90; ++p) alone.push_back({1, p, p + 1});
      const std::vector<uint32_t> decoded = batch.attend(alone);
      for (size_t row = 0; row < 180; ++row) {
        if (row < 40 || (row >= 90 && row < 150)) continue;
        for (size_t head = 0; head < 4; ++head) {
          const bool sees = column == 5
                                ? row == 64 && head == 0
                                : type == KvType::kPlain && row >= 64 && row < 90 && head < 2;
          if (type != KvType::kPlain && column >= 384 && row >= 64 && row < 90 && head < 2)
            continue;
          ASSERT_EQ(n_bad(whole, row, head), sees ? 64 : 0) << row << " " << head;
          ASSERT_EQ(n_bad(decoded, row, head), sees ? 64 : 0) << row << " " << head;
        }
      }
    }
  }
}

TEST(Attention, TheSameBitsForSeveralRows) {
  // Rows of several groups of 16, and new positions in two spans.
  const BatchOptions options{.heads = {.n_heads = 5, .n_kv_heads = 1, .head_dim = 32},
                             .kv_lens = {262, 9},
                             .rotary_dim = 32,
                             .window = 250};
  check_bits(options, {{0, 250, 262}, {1, 4, 9}});
}

TEST(Attention, RefusesAWorkspaceThatIsTooSmall) {
  OnDevice device;
  const AttentionTask task{.heads = {.n_heads = 4, .n_kv_heads = 2, .head_dim = 64},
                           .n_sequences = 3,
                           .max_rows = 1,
                           .max_kv_len = 1000};
  const Status status = attention(device.stream(), device.info(), task);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "attention: 1 rows that are not turned yet, and a workspace of 0 floats");
}

}  // namespace
}  // namespace forge::kernels::cuda
