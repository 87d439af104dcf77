// A product with what comes before and after it: y = finish(W x). Plain data, for host and device.
#pragma once

#include <cstdint>

#include "forge/kernels/cuda/weights/packed_matrix.h"

namespace forge::kernels::cuda {

/// What becomes of the sums. v is W x, times the token's 1 / rms where x has not been normalised
/// yet, plus the bias where there is one.
enum class Finish : uint8_t {
  kStore,   // y = v                                                     (f32)
  kAdd,     // h += v, and what the next norm wants of h (NormOut)
  kGated,   // rows come as 8 of gate, 8 of up: y = act(gate) * up   (as x is; see x_is_gated)
  kLogits,  // y = v, and the maximum of each row tile                   (f32)
};
enum class Gate : uint8_t { kSilu, kGeluTanh };

/// A product of two rows has no bound, and massive activations (Sun et al. 2024, arXiv:2402.17762)
/// are born in it: in f16 its largest number is 2^20, its smallest exact ones are 2^-10.
inline constexpr float kGatedUnit = 16.0f;

/// A norm is cut in two: who writes the residual stream leaves h * weight and, for every 16
/// columns, the sum of squares; who reads it multiplies its result by 1 / rms. So no kernel waits
/// for a whole row of another.
struct NormIn {
  const float* squares =
      nullptr;  // (n_tokens, n_tiles) or none: x is normalised already, or needs no norm
  int32_t n_tiles = 0;
  float eps = 0.0f;
};
struct NormOut {
  const float* weight = nullptr;  // (rows)
  /// (n_tokens, stride): h * weight in the type of products; in f16 by powers of two
  /// (row_scale.h).
  void* scaled = nullptr;
  int64_t stride = 0;
  float* squares = nullptr;  // (n_tokens, row tiles)
};

struct MatmulTask {
  PackedMatrix weight = {};
  int32_t n_rows = 0;  // without padding; what lies beyond is not written
  /// (n_tokens, x_stride) in the type of products (weight.product_type), 16-byte aligned rows,
  /// x_stride >= weight.columns. What lies between the real columns and weight.columns must be
  /// zeros; nobody writes there after the buffer's owner has filled it once.
  const void* x = nullptr;
  int64_t x_stride = 0;
  int32_t n_tokens = 0;
  /// (n_tokens), on the device, or none: which row of x and of norm.squares each token takes.
  /// Negative: nothing is computed or written for it. Logits are wanted of few rows of a prompt.
  const int32_t* x_rows = nullptr;
  NormIn norm = {};
  /// x is what Finish::kGated wrote: in f16 in units of kGatedUnit.
  bool x_is_gated = false;
  const float* bias = nullptr;  // (rows), in the order of the matrix's rows

  Finish finish = Finish::kStore;
  Gate gate = Gate::kSilu;
  void* y = nullptr;  // (n_tokens, y_stride); kAdd: h, f32
  int64_t y_stride = 0;
  float* maxima = nullptr;  // kLogits: (n_tokens, row tiles)
  NormOut next = {};        // kAdd
};

}  // namespace forge::kernels::cuda
