// What an ISA level exports: plain structs and one table of function pointers. This header is all
// that level code and the rest of Forge share, so it holds no inline function with a body a linker
// could pick from the wrong level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "forge/kernels/cpu/attention_task.h"
#include "forge/kernels/cpu/kv_layout.h"

namespace forge::kernels::cpu {

/// Tokens as int8 with one scale per 32 elements: x[i] ~ d[i / 32] * q[i]. `width` tokens are
/// interleaved, group by group, so that a loop over a few tokens reads one stream of activations
/// beside the weights: with one per token the hardware's prefetchers lose the weights
/// (docs/perf/cpu.md). Group g of token t lies in
///
///   slot = ((t / width) * groups + g) * width + t % width
///
/// Memory is there for whole multiples of 16 tokens; what a missing token's slots hold is ignored.
struct Int8Rows {
  int8_t* q;        // 32 per slot
  float* d;         // 1 per slot: max|x| / 127
  int32_t* nsum;    // 1 per slot: minus the sum of 32 q
  int32_t* nsum16;  // 2 per slot: minus the sum of 16 q
  int64_t groups;   // of a token: K padded to a multiple of 256, over 32
  int32_t width;    // 1, 2, 4, 8 or 16
};

/// One matrix product for a range of panels: y[t][row] = sum_k W[row][k] x[t][k].
struct MatmulTask {
  const std::byte* weight;  // the packed matrix, 64-byte aligned
  int64_t panel_bytes;
  int64_t k;            // elements of K, not padded
  int32_t panel_begin;  // panels of 16 rows
  int32_t panel_end;
  const Int8Rows* x_int8;  // for quantised weights
  const uint16_t* x_bf16;  // for BF16 weights; (n_tokens, x_stride), zero-padded
  const float* x_f32;      // for F16 and F32 weights; (n_tokens, x_stride), zero-padded
  int64_t x_stride;        // elements; bf16 and f32 rows are padded to 8
  int32_t n_tokens;
  float* y;  // row r of panel_begin goes to y[t * y_stride + r]; room for whole panels
  int64_t y_stride;
  std::byte* scratch;  // this thread's, scratch_bytes of the level
};

using MatmulFn = void (*)(const MatmulTask&);

/// The number of DTypes; index a table by static_cast<int>(dtype).
inline constexpr int kDTypeCount = 17;

inline constexpr int kMaxRotaryDim = 512;

/// One level's kernels. None allocates, checks or fails; all are pure functions of their arguments.
struct KernelTable {
  MatmulFn matmul[kDTypeCount];

  /// The width in which int8 products of so many tokens are fastest. A product understands width 1
  /// and every width that this gives for some number of tokens; the bits are the same for all.
  int32_t (*int8_width)(int32_t n_tokens);
  /// Elements [begin, begin + n) of a row of `out`, from x (n): begin is a multiple of 32; a last
  /// group is padded with zeros. A group with an infinity or a NaN gets the scale NaN.
  void (*quantize_int8)(const float* x, int64_t n, const Int8Rows& out, int64_t row, int64_t begin);
  /// Nearest bf16, ties to even.
  void (*round_to_bf16)(const float* x, int64_t n, uint16_t* y);
  /// y = x / sqrt(mean(x^2) + eps) * weight, 16 partial sums in f32. y may be x.
  void (*rms_norm)(const float* x, const float* weight, int64_t n, float eps, float* y);
  /// y += x
  void (*add_to)(const float* x, int64_t n, float* y);
  /// Turns the first 2 n_pairs dimensions of a head in place: pairs (i, i + n_pairs) or (2i, 2i +
  /// 1).
  void (*rope_halves)(float* head, const float* cosines, const float* sines, int64_t n_pairs);
  void (*rope_pairs)(float* head, const float* cosines, const float* sines, int64_t n_pairs);
  /// y = f(gate) * up. y may be gate.
  void (*gated_silu)(const float* gate, const float* up, int64_t n, float* y);
  void (*gated_gelu_tanh)(const float* gate, const float* up, int64_t n, float* y);
  /// The largest of x (n >= 1); not a number where any of them is no finite number.
  float (*panel_max)(const float* x, int64_t n);

  /// The limits of one core, for bench hw: rounds (< 10^8) of independent products from registers.
  /// Return the operations done, two per product; the caller takes the time. bf16 is what BF16
  /// weights use at this level, with or without an instruction for it.
  double (*peak_int8)(int64_t rounds);
  double (*peak_bf16)(int64_t rounds);
  double (*peak_f32)(int64_t rounds);

  /// y = e^x, at most 2 ulp, x clamped to [-103, 88]; y = 2^x, the same, x clamped to [-126, 127].
  /// y may be x.
  void (*exp)(const float* x, int64_t n, float* y);
  void (*exp2)(const float* x, int64_t n, float* y);

  /// By KvType. Rounds keys and values to the type and writes them into the cache. Positions of a
  /// block are written in ascending order: slot 0 clears the values of the block, so that nothing a
  /// former owner left there (NaN too) can touch a result.
  void (*kv_append[kKvTypeCount])(const KvAppendTask& task);
  /// By KvType. bf16: q and weights are rounded to bf16, sums are f32 (f16 and f32: all f32 with
  /// fused multiply-adds; int8: q to int8, weights to bf16). The rounded weights are what is
  /// summed. See attention_task.h.
  void (*attention[kKvTypeCount])(const AttentionItem& item);
  void (*attention_merge)(const AttentionMerge& task);
};

}  // namespace forge::kernels::cpu
