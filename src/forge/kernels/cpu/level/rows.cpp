// Compiled once per ISA level: what happens to rows of activations between matrix products.
#include "forge/kernels/cpu/level/columns.h"
#include "forge/kernels/cpu/level/entries.h"
#include "forge/kernels/cpu/level/exp.h"

namespace forge::kernels::cpu::FORGE_LEVEL {
namespace {

/// 16 lanes as kParts vectors, so that sums have one order on every ISA.
struct Lanes16 {
  FloatV v[kParts];
};

FORGE_INLINE float tree_sum(const Lanes16& lanes) {
  float f[16];
  for (int p = 0; p < kParts; ++p) store(f + p * kLanes, lanes.v[p]);
  for (int width = 8; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) f[i] += f[i + width];
  }
  return f[0];
}

}  // namespace

int32_t int8_width(int32_t n_tokens) {
#ifdef FORGE_SIMD_AMX
  if (n_tokens > kMaxFusedTokens) return 16;
#endif
  int32_t width = 1;
  while (width < n_tokens && width < kManyWidth) width *= 2;
  return width;
}

void quantize_int8(const float* x, int64_t n, const Int8Rows& out, int64_t row, int64_t begin) {
  const int64_t width = out.width;
  const int64_t first = (row / width * out.groups + begin / 32) * width + row % width;
  for (int64_t g = 0; g * 32 < n; ++g) {
    const int64_t slot = first + g * width;
    float padded[32];
    const float* in = x + g * 32;
    if (n - g * 32 < 32) {
      for (int i = 0; i < 32; ++i) padded[i] = g * 32 + i < n ? in[i] : 0.0f;
      in = padded;
    }
    FloatV largest = zero();
    FloatV poison = zero();  // not a number where an input is none, or infinite
    for (int i = 0; i < 32; i += kLanes) {
      const FloatV v = load(in + i);
      largest = max(largest, abs(v));
      poison = add(poison, sub(v, v));
    }
    const bool is_broken = any_nan(poison);
    const float m = is_broken ? 0.0f : reduce_max(largest);
    // Below 2^-119 the inverse overflows; such a group is zero next to anything it is added to.
    const bool is_zero = !(m > 1.5e-36f);
    const FloatV inverse = set1(is_zero ? 0.0f : 127.0f / m);
    // Broken weights or inputs must show in the result, not turn into zeros.
    out.d[slot] = is_broken ? __builtin_nanf("") : is_zero ? 0.0f : m / 127.0f;
    for (int h = 0; h < 2; ++h) {
      Int32V sum = zero_i32();
      for (int i = 0; i < 16; i += kLanes) {
        const Int32V v = to_int32(mul(load(in + h * 16 + i), inverse));
        store_i8(out.q + slot * 32 + h * 16 + i, v);
        sum = add_i32(sum, v);
      }
      out.nsum16[2 * slot + h] = -reduce_add_i32(sum);
    }
    out.nsum[slot] = out.nsum16[2 * slot] + out.nsum16[2 * slot + 1];
  }
}

void round_to_bf16(const float* x, int64_t n, uint16_t* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store_bf16(y + i, load(x + i));
  if (i == n) return;
  float in[16] = {};
  uint16_t out[16];
  for (int64_t j = i; j < n; ++j) in[j - i] = x[j];
  store_bf16(out, load(in));
  for (int64_t j = i; j < n; ++j) y[j] = out[j - i];
}

void rms_norm(const float* x, const float* weight, int64_t n, float eps, float* y) {
  Lanes16 sums;
  for (int p = 0; p < kParts; ++p) sums.v[p] = zero();
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int p = 0; p < kParts; ++p) {
      const FloatV v = load(x + i + p * kLanes);
      sums.v[p] = fma(v, v, sums.v[p]);
    }
  }
  float total = tree_sum(sums);
  for (int64_t j = i; j < n; ++j) total += x[j] * x[j];
  const float scale = 1.0f / __builtin_sqrtf(total / static_cast<float>(n) + eps);
  const FloatV s = set1(scale);
  for (i = 0; i + kLanes <= n; i += kLanes) {
    store(y + i, mul(mul(load(x + i), s), load(weight + i)));
  }
  for (; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

void add_to(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, add(load(y + i), load(x + i)));
  for (; i < n; ++i) y[i] += x[i];
}

void rope_halves(float* head, const float* cosines, const float* sines, int64_t n_pairs) {
  for (int64_t i = 0; i < n_pairs; ++i) {
    const float a = head[i];
    const float b = head[i + n_pairs];
    head[i] = a * cosines[i] - b * sines[i];
    head[i + n_pairs] = b * cosines[i] + a * sines[i];
  }
}

void rope_pairs(float* head, const float* cosines, const float* sines, int64_t n_pairs) {
  float turned[kMaxRotaryDim];
  for (int64_t i = 0; i < n_pairs; ++i) {
    const float a = head[2 * i];
    const float b = head[2 * i + 1];
    turned[i] = a * cosines[i] - b * sines[i];
    turned[i + n_pairs] = b * cosines[i] + a * sines[i];
  }
  for (int64_t i = 0; i < 2 * n_pairs; ++i) head[i] = turned[i];
}

namespace {

/// x / (1 + e^-x)
FORGE_INLINE FloatV silu(FloatV x) { return div(x, add(set1(1.0f), exp(sub(zero(), x)))); }

/// x / 2 (1 + tanh(u)) = x / (1 + e^-2u),  u = sqrt(2/pi) (x + 0.044715 x^3)
FORGE_INLINE FloatV gelu_tanh(FloatV x) {
  const FloatV cubic = mul(mul(x, x), mul(x, set1(0.044715f)));
  const FloatV u = mul(add(x, cubic), set1(0.7978845608f));
  return div(x, add(set1(1.0f), exp(mul(u, set1(-2.0f)))));
}

template <FloatV (*function)(FloatV)>
FORGE_INLINE void gate(const float* g, const float* up, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, mul(function(load(g + i)), load(up + i)));
  if (i == n) return;
  float a[16] = {};
  float b[16] = {};
  for (int64_t j = i; j < n; ++j) {
    a[j - i] = g[j];
    b[j - i] = up[j];
  }
  store(a, mul(function(load(a)), load(b)));
  for (int64_t j = i; j < n; ++j) y[j] = a[j - i];
}

}  // namespace

void gated_silu(const float* g, const float* up, int64_t n, float* y) { gate<silu>(g, up, n, y); }
void gated_gelu_tanh(const float* g, const float* up, int64_t n, float* y) {
  gate<gelu_tanh>(g, up, n, y);
}

float panel_max(const float* x, int64_t n) {
  float m = x[0];
  float poison = 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    m = x[i] > m ? x[i] : m;
    poison += x[i] * 0.0f;  // zero, but for infinities and not-a-number
  }
  return m + poison;
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
