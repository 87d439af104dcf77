// Compiled once per ISA level: keys and values of new tokens into the cells of the cache.
#include "forge/kernels/cpu/attention_task.h"
#include "forge/kernels/cpu/kv_layout.h"
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {
namespace {

/// One head of one token, as f32 with zeros after its end, and n = its padded length.
struct HeadRow {
  alignas(64) float x[kMaxHeadDim];
  int64_t n;
  FORGE_INLINE HeadRow(const float* from, int64_t head_dim) : n((head_dim + 15) / 16 * 16) {
    for (int64_t i = 0; i < n; ++i) x[i] = i < head_dim ? from[i] : 0.0f;
  }
};

/// Numbers of one type, rounded: element (row, i) of cells of 16 rows x kPer numbers.
struct Bf16Numbers {
  using Number = uint16_t;
  static constexpr int kPerCell = 2;
  FORGE_INLINE static void round(Number* to, FloatV v) { store_bf16(to, v); }
};
struct F16Numbers {
  using Number = uint16_t;
  static constexpr int kPerCell = 1;
  FORGE_INLINE static void round(Number* to, FloatV v) {
    store_f16(to, min(max(v, set1(-65504.0f)), set1(65504.0f)));
  }
};
struct F32Numbers {
  using Number = float;
  static constexpr int kPerCell = 1;
  FORGE_INLINE static void round(Number* to, FloatV v) { store(to, v); }
};

template <class Type>
FORGE_INLINE void append_float(const HeadRow& k, const HeadRow& v, int slot, std::byte* keys,
                               std::byte* values) {
  using Number = typename Type::Number;
  constexpr int kPer = Type::kPerCell;
  Number rounded[kMaxHeadDim];
  for (int64_t i = 0; i < k.n; i += kLanes) Type::round(rounded + i, load(k.x + i));
  auto* to = reinterpret_cast<Number*>(keys) + slot * kPer;
  for (int64_t i = 0; i < k.n; i += kPer) {
    for (int j = 0; j < kPer; ++j) to[i * kKvBlockLen + j] = rounded[i + j];
  }
  for (int64_t i = 0; i < v.n; i += kLanes) Type::round(rounded + i, load(v.x + i));
  // Panel i / 16, cell slot / kPer, row i % 16, column slot % kPer.
  to = reinterpret_cast<Number*>(values) + slot / kPer * 16 * kPer + slot % kPer;
  for (int64_t panel = 0; panel < v.n; panel += 16) {
    for (int i = 0; i < 16; ++i) to[panel * kKvBlockLen + i * kPer] = rounded[panel + i];
  }
}

/// Codes of a row, and the scale: max|x| / 127.
FORGE_INLINE float quantize_row(const HeadRow& row, int8_t* codes) {
  FloatV largest = zero();
  for (int64_t i = 0; i < row.n; i += kLanes) largest = max(largest, abs(load(row.x + i)));
  const float m = reduce_max(largest);
  const bool is_zero = !(m > 1.5e-36f);  // 127 / m would overflow below 2^-119
  const FloatV inverse = set1(is_zero ? 0.0f : 127.0f / m);
  for (int64_t i = 0; i < row.n; i += kLanes) {
    store_i8(codes + i, to_int32(mul(load(row.x + i), inverse)));
  }
  return is_zero ? 0.0f : m / 127.0f;
}

FORGE_INLINE void append_int8(const HeadRow& k, const HeadRow& v, int slot, std::byte* keys,
                              std::byte* values) {
  int8_t codes[kMaxHeadDim];
  reinterpret_cast<float*>(keys)[slot] = quantize_row(k, codes);
  auto* to = reinterpret_cast<uint8_t*>(keys) + kKvScaleBytes + slot * 4;
  for (int64_t i = 0; i < k.n; i += 4) {
    for (int j = 0; j < 4; ++j) to[i * 16 + j] = static_cast<uint8_t>(codes[i + j] + 128);
  }
  reinterpret_cast<float*>(values)[slot] = quantize_row(v, codes);
  to = reinterpret_cast<uint8_t*>(values) + kKvScaleBytes + slot * 16;
  for (int64_t panel = 0; panel < v.n; panel += 16) {
    for (int i = 0; i < 16; ++i) to[panel * 16 + i] = static_cast<uint8_t>(codes[panel + i]);
  }
}

using AppendFn = void (*)(const HeadRow&, const HeadRow&, int, std::byte*, std::byte*);

template <AppendFn append>
FORGE_INLINE void append_tokens(const KvAppendTask& task) {
  const KvHead& head = task.head;
  for (int32_t t = 0; t < task.n_tokens; ++t) {
    const int32_t position = task.position + t;
    const int slot = position % kKvBlockLen;
    std::byte* keys = head.base + head.blocks[position / kKvBlockLen] * head.block_stride;
    std::byte* values = keys + head.v_offset;
    // Weights of slots not filled yet are 0: a NaN that a former owner left would survive that.
    if (slot == 0) {
      for (int64_t i = 0; i < head.v_offset; i += kPartBytes) {
        store_cell(values + i, set1_byte(0));
      }
    }
    append(HeadRow(task.k + t * task.k_stride, head.head_dim),
           HeadRow(task.v + t * task.v_stride, head.head_dim), slot, keys, values);
  }
}

}  // namespace

void kv_append_bf16(const KvAppendTask& task) { append_tokens<append_float<Bf16Numbers>>(task); }
void kv_append_f16(const KvAppendTask& task) { append_tokens<append_float<F16Numbers>>(task); }
void kv_append_f32(const KvAppendTask& task) { append_tokens<append_float<F32Numbers>>(task); }
void kv_append_int8(const KvAppendTask& task) { append_tokens<append_int8>(task); }

}  // namespace forge::kernels::cpu::FORGE_LEVEL
