// Trusts: norm and turn in double, the formats of the cache's types by their definition.
#include <algorithm>
#include <cmath>

#include "forge/kernels/cuda/attention/attention.h"
#include "tests/cuda/attention_batch.h"
#include "tests/cuda/orders.h"

namespace forge::kernels::cuda {
namespace {

/// A head after norm and turn. part: index among heads of q, k, v.
std::vector<double> turned(const AttentionBatch& batch, const BatchOptions& options, int32_t row,
                           int32_t position, int32_t part) {
  const HeadShape& heads = options.heads;
  const auto n = static_cast<size_t>(heads.head_dim);
  const size_t n_parts = static_cast<size_t>(heads.n_heads + 2 * heads.n_kv_heads);
  const float* from =
      batch.qkv().data() + (static_cast<size_t>(row) * n_parts + static_cast<size_t>(part)) * n;
  std::vector<double> x(from, from + n);
  if (part >= heads.n_heads + heads.n_kv_heads) return x;
  if (options.has_norms) {
    double squares = 0.0;
    for (const double value : x) squares += value * value;
    const double scale = 1.0 / std::sqrt(squares / heads.head_dim + 1e-6);
    const std::vector<float>& norm = batch.norm(part >= heads.n_heads);
    for (size_t d = 0; d < n; ++d) x[d] *= scale * static_cast<double>(norm[d]);
  }
  const auto half = static_cast<size_t>(options.rotary_dim / 2);
  const std::vector<float>& angles = batch.angles(batch.is_long(row));
  for (size_t i = 0; i < half; ++i) {
    const size_t a = options.turns_pairs ? 2 * i : i;
    const size_t b = options.turns_pairs ? 2 * i + 1 : i + half;
    const double c = angles[(static_cast<size_t>(position) * half + i) * 2];
    const double s = angles[(static_cast<size_t>(position) * half + i) * 2 + 1];
    const double first = x[a] * c - x[b] * s;
    x[b] = x[b] * c + x[a] * s;
    x[a] = first;
  }
  return x;
}

/// How far a cached number may be from what was to be cached: half a step of its type, and the f32
/// arithmetic before it, whose terms are below 8.
double step(KvType type, ProductType product_type, double x, double scale) {
  constexpr double kFloats = 1e-5;
  if (type == KvType::kPlain) {
    const int exponent = product_type == ProductType::kF32    ? -23
                         : product_type == ProductType::kBf16 ? -8
                                                              : -11;
    return std::abs(x) * std::ldexp(1.0, exponent) + kFloats;
  }
  if (type == KvType::kInt8) return 0.5 * scale + kFloats;
  return std::max(std::abs(x) * std::ldexp(1.0, -4), scale * std::ldexp(1.0, -10)) + kFloats;
}

void check(const BatchOptions& options) {
  OnDevice device;
  AttentionBatch batch(device, options);
  batch.append_all();
  const HeadShape& heads = options.heads;
  const std::vector<uint32_t> q = batch.queries();
  const std::vector<uint8_t> keys = batch.keys();
  const std::vector<uint8_t> values = batch.values();
  for (size_t s = 0; s < options.kv_lens.size(); ++s) {
    for (int32_t position = 0; position < options.kv_lens[s]; ++position) {
      const int32_t row = batch.first_row(s) + position;
      for (int32_t part = 0; part < heads.n_heads + 2 * heads.n_kv_heads; ++part) {
        const std::vector<double> expected = turned(batch, options, row, position, part);
        const bool is_key = part < heads.n_heads + heads.n_kv_heads;
        for (int32_t d = 0; d < batch.padded(); ++d) {
          const double x = d < heads.head_dim ? expected[static_cast<size_t>(d)] : 0.0;
          if (part < heads.n_heads) {
            const size_t at = (static_cast<size_t>(row * heads.n_heads + part)) *
                                  static_cast<size_t>(batch.padded()) +
                              static_cast<size_t>(d);
            ASSERT_NEAR(half_number(q[at], options.product_type), x,
                        step(KvType::kPlain, options.product_type, x, 0.0))
                << part << " " << d;
            continue;
          }
          const int32_t kv_head = (part - heads.n_heads) % heads.n_kv_heads;
          const std::vector<uint8_t>& plane = is_key ? keys : values;
          const double scale =
              options.type == KvType::kPlain
                  ? 1.0
                  : static_cast<double>(batch.scale_of(plane, s, position, kv_head));
          ASSERT_NEAR(batch.cached(plane, is_key, s, position, kv_head, d), x,
                      step(options.type, options.product_type, x, scale))
              << position << " " << part << " " << d;
        }
      }
    }
  }
}

TEST(RopeAppend, TurnsHalvesAndPairs) {
  for (const bool pairs : {false, true}) {
    in_every_order([&] { check({.kv_lens = {18, 3}, .turns_pairs = pairs}); });
  }
}

TEST(RopeAppend, NormsHeads) { check({.kv_lens = {5}, .has_norms = true}); }

TEST(RopeAppend, EveryHeadSize) {
  for (const int32_t head_dim : {8, 16, 32, 64, 80, 96, 128, 160, 256}) {
    SCOPED_TRACE(head_dim);
    check({.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = head_dim},
           .kv_lens = {3},
           .rotary_dim = head_dim,
           .has_norms = true});
  }
}

TEST(RopeAppend, TurnsSomeDimensionsOnly) {
  for (const bool pairs : {false, true}) {
    check({.kv_lens = {7}, .rotary_dim = 24, .turns_pairs = pairs, .has_norms = true});
  }
}

TEST(RopeAppend, ASequenceWithTheLongFactors) { check({.kv_lens = {4, 20, 6}, .has_long = true}); }

TEST(RopeAppend, EightBits) {
  for (const KvType type : {KvType::kFp8, KvType::kInt8}) {
    in_every_order([&] { check({.type = type, .kv_lens = {18, 3}}); });
    check({.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 80},
           .type = type,
           .kv_lens = {9},
           .rotary_dim = 80});
  }
}

TEST(RopeAppend, InF16) {
  for (const KvType type : {KvType::kPlain, KvType::kFp8, KvType::kInt8}) {
    check({.type = type, .product_type = ProductType::kF16, .kv_lens = {18, 3}, .has_norms = true});
  }
}

TEST(RopeAppend, InFourBytes) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    in_every_order([&] {
      check({.product_type = product_type, .kv_lens = {18, 3}, .has_norms = true});
    });
    check({.heads = {.n_heads = 2, .n_kv_heads = 1, .head_dim = 80},
           .product_type = product_type,
           .kv_lens = {9},
           .rotary_dim = 80});
  }
}

// A number that two of TF32 cannot be, and what is none: finite, so that nobody is harmed. Mutation
// that was seen: f32's own limit.
TEST(RopeAppend, WhatIsCachedInFourBytesIsFinite) {
  for (const ProductType product_type : {ProductType::kTf32, ProductType::kF32}) {
    for (const float huge : {3.402e38f, -3.402e38f, INFINITY, NAN}) {
      // Of values and of keys, and position 0, which turns nothing.
      for (const int32_t column : {256 + 5, 384 + 5}) {
        OnDevice device;
        const BatchOptions options{.product_type = product_type,
                                   .kv_lens = {1},
                                   .huge = {.row = 0, .column = column, .value = huge}};
        AttentionBatch batch(device, options);
        batch.append_all();
        const bool is_key = column < 384;
        const double got = batch.cached(is_key ? batch.keys() : batch.values(), is_key, 0, 0, 0, 5);
        EXPECT_EQ(std::abs(got), 0x1.FFCp127) << huge;
      }
    }
  }
}

// One token of one value head, at slot 1 of block 0, through a cache of 8 bits and 64 dimensions.
std::vector<uint8_t> stored(const std::vector<float>& v, KvType type, float* scale) {
  OnDevice device;
  const HeadShape heads{.n_heads = 1, .n_kv_heads = 1, .head_dim = 64};
  std::vector<float> qkv(128, 0.0f);
  qkv.insert(qkv.end(), v.begin(), v.end());
  const auto rows = device.upload(qkv);
  const auto position = device.upload(std::vector<int32_t>{1});
  const auto table = device.upload(std::vector<int32_t>{0});
  const auto bytes = static_cast<size_t>(kv_block_bytes(type, ProductType::kBf16, 1, 64));
  const auto keys = device.array<uint8_t>(bytes);
  const auto values = device.array<uint8_t>(bytes);
  const auto q = device.array<uint16_t>(64);
  const RopeAppendTask task{.heads = heads,
                            .rows = {.qkv = rows.data(), .stride = 192},
                            .n_tokens = 1,
                            .positions = position.data(),
                            .first_blocks = table.data(),
                            .block_tables = table.data(),
                            .kv = {.type = type,
                                   .keys = reinterpret_cast<std::byte*>(keys.data()),
                                   .values = reinterpret_cast<std::byte*>(values.data()),
                                   .block_bytes = static_cast<int64_t>(bytes)},
                            .q = q.data()};
  OnDevice::require(rope_append(device.stream(), device.info(), task));
  const std::vector<uint8_t> block = device.download(values);
  std::memcpy(scale, block.data() + 64 * 16 + 4, sizeof(float));
  std::vector<uint8_t> codes;
  for (size_t d = 0; d < 64; ++d) codes.push_back(block[d * 16 + 2]);  // slot 1 is byte 2
  return codes;
}

// Every midpoint of two neighbours, and what lies just beside it.
TEST(RopeAppend, E4m3IsTheNearestTiesToEven) {
  std::vector<float> inputs;
  for (uint32_t code = 0; code < 0x7E; ++code) {
    const auto middle = static_cast<float>((e4m3_number(code) + e4m3_number(code + 1)) / 2.0);
    inputs.insert(inputs.end(),
                  {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 500.0f), -middle,
                   static_cast<float>(e4m3_number(code))});
  }
  while (inputs.size() % 63 != 0) inputs.push_back(0.0f);
  for (size_t first = 0; first < inputs.size(); first += 63) {
    const auto at = static_cast<std::ptrdiff_t>(first);
    std::vector<float> head(inputs.begin() + at, inputs.begin() + at + 63);
    head.push_back(448.0f);  // so that the scale is 1
    float scale = 0.0f;
    const std::vector<uint8_t> codes = stored(head, KvType::kFp8, &scale);
    EXPECT_EQ(scale, 1.0f);
    for (size_t d = 0; d < 64; ++d) {
      const double x = head[d];
      uint32_t best = 0;
      for (uint32_t code = 1; code < 0x7F; ++code) {
        const double gain =
            std::abs(std::abs(x) - e4m3_number(best)) - std::abs(std::abs(x) - e4m3_number(code));
        if (gain > 0.0 || (gain == 0.0 && code % 2 == 0)) best = code;
      }
      EXPECT_EQ(codes[d] & 0x7Fu, best) << x;
      EXPECT_TRUE(best == 0 || codes[d] >> 7 == (x < 0.0 ? 1 : 0)) << x;
    }
  }
}

TEST(RopeAppend, WhatIsCachedIsFinite) {
  std::vector<float> head(64, 1.0f);
  head[3] = INFINITY;
  head[5] = -INFINITY;
  head[7] = NAN;
  for (const KvType type : {KvType::kFp8, KvType::kInt8}) {
    float scale = 0.0f;
    const std::vector<uint8_t> codes = stored(head, type, &scale);
    EXPECT_TRUE(std::isfinite(scale));
    EXPECT_GT(scale, 0.0f);
    for (const uint8_t code : codes) {
      EXPECT_TRUE(type == KvType::kInt8 || (code & 0x7Fu) != 0x7Fu);
    }
  }
  float scale = 1.0f;
  for (const uint8_t code : stored(std::vector<float>(64, 1e-37f), KvType::kInt8, &scale)) {
    EXPECT_EQ(code, 128);
  }
  EXPECT_EQ(scale, 0.0f);
}

TEST(RopeAppend, RowsThatAreNotThereWriteNothing) {
  OnDevice device;
  // 5 heads in all, so that the last block of the grid has warps beyond the last token.
  const BatchOptions options{.heads = {.n_heads = 3, .n_kv_heads = 1, .head_dim = 64},
                             .kv_lens = {20, 20}};
  AttentionBatch batch(device, options);
  batch.append(0, 0, 20);  // and one row that is not there
  const std::vector<uint32_t> q = batch.queries();
  for (size_t i = 0; i < q.size(); ++i) ASSERT_EQ(q[i] == 0xFFFFu, i >= q.size() / 2);
  const std::vector<uint8_t> keys = batch.keys();
  for (int32_t position = 0; position < 20; ++position) {
    EXPECT_NE(batch.cached(keys, true, 0, position, 0, 9), 0.0);
    EXPECT_EQ(batch.cached(keys, true, 1, position, 0, 9), 0.0);
  }
}

TEST(RopeAppend, RefusesHeadsNobodyBuiltFor) {
  OnDevice device;
  const auto message = [&](HeadShape heads) {
    const Status status = rope_append(device.stream(), device.info(), {.heads = heads});
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(message({.n_heads = 4, .n_kv_heads = 4, .head_dim = 260}),
            "attention: heads of 260 dimensions, expected a multiple of 4 up to 256");
  EXPECT_EQ(message({.n_heads = 4, .n_kv_heads = 3, .head_dim = 64}),
            "attention: 4 query heads for 3 of keys");
}

}  // namespace
}  // namespace forge::kernels::cuda
