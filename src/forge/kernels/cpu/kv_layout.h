// How keys and values lie in the CPU's KV cache: cells, as weights do, so that attention is two
// matrix products without any transposition. The same bytes on every ISA level.
//
// A KV head block holds 16 tokens of one KV head of one layer: a K part, then a V part. Dimensions
// are padded to a multiple of 16, padding is zero. Token s of the block is slot s.
//
//   type   K part                                       V part
//   bf16   cells of 16 slots x 2 dims                   panels of 16 dims, each 8 cells of 16 dims
//   x
//                                                       2 slots
//   f32    cells of 16 slots x 1 dim                    panels of 16 dims, each 16 cells of 16 dims
//   f16    the same with 2-byte numbers: 32-byte cells  the same
//   int8   16 f32 scales, one per slot, then cells of   16 f32 scales, then panels of 16 dims, each
//          16 slots x 4 dims, stored as k + 128         16 rows (slots) of 16 int8
//
//   bf16, K:  byte      0      4      8           60 | 64
//             slot,dims 0,0-1  1,0-1  2,0-1 ... 15,0-1 | 0,2-3 ...
//   bf16, V:  dim,slots 0,0-1  1,0-1  2,0-1 ... 15,0-1 | 0,2-3 ...
//
// An int8 number is code * scale, scale = max|x| / 127 over the token's head. f16 numbers are
// clamped to +-65504, so that no cache holds an infinity that f32 did not have.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace forge::kernels::cpu {

/// What the KV cache stores. Also the index into the tables of KernelTable.
enum class KvType : uint8_t { kBf16, kF16, kF32, kInt8 };
inline constexpr int kKvTypeCount = 4;

/// "bf16", "f16", "f32" or "int8".
[[nodiscard]] std::string_view name(KvType type);
[[nodiscard]] std::optional<KvType> kv_type_from_name(std::string_view text);

inline constexpr int kKvBlockLen = 16;     // tokens of a block
inline constexpr int kKvTileLen = 64;      // tokens that one step of the online softmax sees
inline constexpr int kKvSpanLen = 512;     // tokens whose partial result is made in one piece
inline constexpr int kMaxHeadDim = 256;    // a multiple of 8; others are padded to one of 16
inline constexpr int kKvScaleBytes = 64;   // int8: 16 f32 at the head of each part
inline constexpr int kPartialHeader = 16;  // floats before the sums of a partial: max, sum, unused

constexpr int64_t kv_padded_dim(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }

/// Bytes of the K part; the V part has as many.
constexpr int64_t kv_part_bytes(KvType type, int64_t head_dim) {
  const int64_t n = kKvBlockLen * kv_padded_dim(head_dim);
  if (type == KvType::kInt8) return kKvScaleBytes + n;
  return type == KvType::kF32 ? 4 * n : 2 * n;
}

/// Bytes of a KV head block: a multiple of 64. The V part starts in the middle.
constexpr int64_t kv_head_block_bytes(KvType type, int64_t head_dim) {
  return 2 * kv_part_bytes(type, head_dim);
}

/// Floats of the partial result of one query head in one span: a multiple of 16.
constexpr int64_t attention_partial_floats(int64_t head_dim) {
  return kPartialHeader + kv_padded_dim(head_dim);
}

/// Scratch of attention_item, whatever the item: operands, scores and sums of up to 48 columns, and
/// for int8 a span of values widened to bf16. Aligned to 64.
inline constexpr int64_t kAttentionStateBytes = 80 * 1024;
constexpr int64_t attention_scratch_bytes(KvType type, int64_t head_dim) {
  const int64_t widened = kKvSpanLen * 2 * kv_padded_dim(head_dim);
  return kAttentionStateBytes + (type == KvType::kInt8 ? widened : 0);
}

}  // namespace forge::kernels::cpu
