// One sequence in a cache in cells, for tests: random keys, values and queries, blocks in random
// order, and attention over them in items of any shape.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/kernels/cpu/levels.h"

namespace forge::kernels::cpu {

struct KvShape {
  KvType type;
  int32_t head_dim;
  int32_t group;
  int32_t n_tokens;
  int32_t window = 0;
};

/// Rows of one item and of its partials.
struct Cut {
  int32_t rows_per_item;
  bool by_span;  // an item per span, then merged; otherwise all spans in one
};

struct KvSequence {
  /// table_seed gives the order of blocks, seed the numbers. The cache starts as bytes of `stale`:
  /// 0xFF makes every number NaN (int8: -1).
  KvSequence(const KernelTable& kernels, const KvShape& of, uint32_t seed, uint32_t table_seed,
             int stale)
      : table(kernels),
        shape(of),
        head_bytes(kv_head_block_bytes(of.type, of.head_dim)),
        // A neighbour's head before and after each block shows writes that go astray.
        stride(3 * head_bytes) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto n = static_cast<size_t>(shape.n_tokens) * static_cast<size_t>(shape.head_dim);
    k.resize(n);
    v.resize(n);
    q.resize(n * static_cast<size_t>(shape.group));
    for (float& x : k) x = normal(random);
    for (float& x : v) x = normal(random);
    for (float& x : q) x = 0.5f * normal(random);  // scores of deviation 1/2
    const int32_t n_blocks = (shape.n_tokens + 15) / 16 + 1;
    for (int32_t b = 0; b < n_blocks; ++b) blocks.push_back(b);
    std::shuffle(blocks.begin(), blocks.end(), std::mt19937(table_seed));
    auto allocated = HugeBuffer::allocate(static_cast<size_t>(n_blocks * stride));
    cache = std::move(*allocated);
    std::memset(cache.data(), stale, cache.bytes());
    const auto scratch_bytes = attention_scratch_bytes(shape.type, shape.head_dim);
    auto room = HugeBuffer::allocate(static_cast<size_t>(scratch_bytes));
    scratch = std::move(*room);
    std::memset(scratch.data(), 0xFF, scratch.bytes());
  }

  [[nodiscard]] KvHead head() {
    return {.base = cache.data() + head_bytes,
            .block_stride = stride,
            .v_offset = kv_part_bytes(shape.type, shape.head_dim),
            .blocks = blocks.data(),
            .head_dim = shape.head_dim};
  }

  void append(int32_t begin, int32_t end) {
    table.kv_append[static_cast<int>(shape.type)]({.head = head(),
                                                   .position = begin,
                                                   .n_tokens = end - begin,
                                                   .k = k.data() + begin * shape.head_dim,
                                                   .k_stride = shape.head_dim,
                                                   .v = v.data() + begin * shape.head_dim,
                                                   .v_stride = shape.head_dim});
  }

  /// Results of rows [begin, end): (rows, group, head_dim).
  std::vector<float> attend(int32_t begin, int32_t end, const Cut& cut) {
    const int64_t row = int64_t{shape.group} * shape.head_dim;
    std::vector<float> out(static_cast<size_t>((end - begin) * row), std::nanf(""));
    for (int32_t t = begin; t < end; t += cut.rows_per_item) {
      const int32_t n = std::min(cut.rows_per_item, end - t);
      attend_rows(t, n, cut.by_span, out.data() + (t - begin) * row);
    }
    return out;
  }

  void attend_rows(int32_t t, int32_t n, bool by_span, float* out) {
    const int64_t row = int64_t{shape.group} * shape.head_dim;
    const int32_t seen = shape.window > 0 ? std::max(0, t - shape.window + 1) : 0;
    const int32_t first = seen / kKvSpanLen;
    const int32_t last = (t + n - 1) / kKvSpanLen + 1;
    AttentionItem item{.head = head(),
                       .group = shape.group,
                       .n_rows = n,
                       .position = t,
                       .window = shape.window,
                       .scale = scale(),
                       .q = q.data() + t * row,
                       .q_stride = row,
                       .span_begin = first,
                       .span_end = last,
                       .out = out,
                       .out_stride = row,
                       .partials = nullptr,
                       .partial_column_stride = 0,
                       .partial_span_stride = 0,
                       .scratch = scratch.data()};
    const auto attention = table.attention[static_cast<int>(shape.type)];
    if (!by_span) return attention(item);
    const int64_t floats = attention_partial_floats(shape.head_dim);
    const int32_t n_spans = last - first;
    std::vector<float> partials(static_cast<size_t>(floats * n * shape.group * n_spans),
                                std::nanf(""));
    item.out = nullptr;
    item.partial_column_stride = floats * n_spans;
    item.partial_span_stride = floats;
    for (int32_t s = last - 1; s >= first; --s) {  // any order will do
      item.span_begin = s;
      item.span_end = s + 1;
      item.partials = partials.data() + (s - first) * floats;
      attention(item);
    }
    table.attention_merge({.partials = partials.data(),
                           .partial_column_stride = floats * n_spans,
                           .partial_span_stride = floats,
                           .n_spans = n_spans,
                           .n_rows = n,
                           .group = shape.group,
                           .head_dim = shape.head_dim,
                           .out = out,
                           .out_stride = row});
  }

  [[nodiscard]] float scale() const { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

  const KernelTable& table;
  KvShape shape;
  int64_t head_bytes;
  int64_t stride;
  std::vector<float> k;
  std::vector<float> v;
  std::vector<float> q;
  std::vector<int32_t> blocks;
  HugeBuffer cache;
  HugeBuffer scratch;
};

}  // namespace forge::kernels::cpu
