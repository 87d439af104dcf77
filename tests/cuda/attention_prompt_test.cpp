// Trusts: attention of single rows (attention_test.cpp), whose bits prompts must have.
//
// Mutations that were seen in InFourBytes: values that are not waited for where they replace keys,
// and the barrier after that wait; in attention_test the second part of values, weights that are
// not rounded to TF32.
#include <algorithm>

#include "tests/cuda/attention_batch.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

using Entry = AttentionBatch::Entry;

std::vector<Entry> chunks(const BatchOptions& options, int32_t size) {
  std::vector<Entry> entries;
  for (size_t s = 0; s < options.kv_lens.size(); ++s) {
    for (int32_t p = 0; p < options.kv_lens[s]; p += size) {
      entries.push_back({s, p, std::min(p + size, options.kv_lens[s])});
    }
  }
  return entries;
}

/// Some rows alone, by the kernel for a few, against whole prompts and prompts in chunks.
void check(const BatchOptions& options, int32_t step, const std::vector<int32_t>& sizes) {
  OnDevice device;
  AttentionBatch batch(device, options);
  batch.append_all();
  const std::vector<uint32_t> whole = batch.attend(chunks(options, 1 << 20));
  std::vector<Entry> alone;
  for (size_t s = 0; s < options.kv_lens.size(); ++s) {
    for (int32_t p = 0; p < options.kv_lens[s]; p += step) alone.push_back({s, p, p + 1});
    alone.push_back({s, options.kv_lens[s] - 1, options.kv_lens[s]});
  }
  const std::vector<uint32_t> rows = batch.attend(alone);
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_TRUE(rows[i] == unwritten(options.product_type) || rows[i] == whole[i]) << i;
    ASSERT_NE(whole[i], unwritten(options.product_type)) << i;
  }
  for (const int32_t size : sizes) {
    ASSERT_EQ(batch.attend(chunks(options, size)), whole) << "chunks of " << size;
  }
}

TEST(AttentionOfPrompts, TheSameBitsInAnyChunks) {
  for (const KvType type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    const BatchOptions options{.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 32},
                               .type = type,
                               .kv_lens = {530, 65},
                               .rotary_dim = 32};
    check(options, 13, {7, 16, 64, 200});
  }
}

TEST(AttentionOfPrompts, EveryHeadSizeAndType) {
  for (const KvType type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    for (const int32_t head_dim : {8, 32, 64, 80, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      check({.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
             .type = type,
             .kv_lens = {70},
             .rotary_dim = head_dim},
            23, {});
    }
  }
}

TEST(AttentionOfPrompts, InF16) {
  for (const KvType type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    for (const int32_t head_dim : {32, 64, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      check({.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
             .type = type,
             .product_type = ProductType::kF16,
             .kv_lens = {70},
             .rotary_dim = head_dim},
            23, {});
    }
  }
}

TEST(AttentionOfPrompts, InFourBytes) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    for (const int32_t head_dim : {8, 32, 64, 96, 128, 256}) {
      SCOPED_TRACE(head_dim);
      check({.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
             .product_type = product_type,
             .kv_lens = {70},
             .rotary_dim = head_dim},
            23, {});
    }
    check({.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 32},
           .product_type = product_type,
           .kv_lens = {300},
           .rotary_dim = 32},
          29, {100});
  }
  // The widest heads' values come where their keys were.
  in_every_order([] {
    check({.heads = {.n_heads = 1, .n_kv_heads = 1, .head_dim = 256},
           .product_type = ProductType::kTf32,
           .kv_lens = {130},
           .rotary_dim = 256},
          61, {});
  });
}

TEST(AttentionOfPrompts, Windows) {
  for (const int32_t window : {1, 40, 64, 270}) {
    SCOPED_TRACE(window);
    check({.heads = {.n_heads = 1, .n_kv_heads = 1, .head_dim = 32},
           .kv_lens = {340},
           .rotary_dim = 32,
           .window = window},
          11, {100});
  }
}

TEST(AttentionOfPrompts, SeveralKvHeadsInEveryOrder) {
  const BatchOptions options{.heads = {.n_heads = 6, .n_kv_heads = 2, .head_dim = 64},
                             .kv_lens = {90, 3}};
  in_every_order([&] { check(options, 17, {32}); });
}

TEST(AttentionOfPrompts, ChunksThatMeetALongCacheAndRowsThatAreNotThere) {
  OnDevice device;
  const BatchOptions options{.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 64},
                             .kv_lens = {600, 600}};
  AttentionBatch batch(device, options);
  batch.append_all();
  const std::vector<Entry> entries = {{0, 560, 600}, {1, 500, 565}};
  const std::vector<uint32_t> expected = batch.attend(entries);
  EXPECT_EQ(batch.attend(entries, {.more_sequences = 3, .more_rows = 100, .more_kv_len = 4000}),
            expected);
  std::vector<Entry> alone;
  for (const Entry& entry : entries) {
    for (int32_t p = entry.begin; p < entry.end; p += 8)
      alone.push_back({entry.sequence, p, p + 1});
  }
  const std::vector<uint32_t> rows = batch.attend(alone);
  size_t n_written = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == 0xFFFFu) continue;
    ++n_written;
    ASSERT_EQ(rows[i], expected[i]) << i;
  }
  EXPECT_EQ(n_written, alone.size() * 128);
}

TEST(AttentionOfPrompts, ManyRowsMustBeTurnedBefore) {
  OnDevice device;
  const AttentionTask task{.heads = {.n_heads = 4, .n_kv_heads = 2, .head_dim = 64},
                           .n_sequences = 3,
                           .max_rows = 33,
                           .max_kv_len = 1000};
  const Status status = attention(device.stream(), device.info(), task);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message,
            "attention: 33 rows that are not turned yet, and a workspace of 0 floats");
}

}  // namespace
}  // namespace forge::kernels::cuda
