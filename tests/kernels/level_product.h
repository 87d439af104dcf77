// One quantised matrix product for any level's kernel: packed random weights times random tokens.
#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/huge_buffer.h"
#include "forge/kernels/cpu/kernel_table.h"
#include "forge/kernels/cpu/pack.h"
#include "tests/kernels/random_blocks.h"

namespace forge::kernels::cpu {

/// Random tokens as one level quantises and rounds them; the int8 ones of any width.
struct LevelTokens {
  LevelTokens(const KernelTable& table, int32_t width, int32_t n_tokens, int64_t k, uint32_t seed)
      : n(n_tokens), k_padded(round_up(k, 256)) {
    const auto count = static_cast<size_t>(round_up(n, 16) * k_padded);
    f32.assign(count, 0.0f);
    bf16.assign(count, 0);
    q.assign(count, 0);
    d.assign(count / 32, 0.0f);
    nsum.assign(count / 32, 0);
    nsum16.assign(count / 16, 0);
    rows = {q.data(), d.data(), nsum.data(), nsum16.data(), k_padded / 32, width};
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int32_t t = 0; t < n; ++t) {
      float* x = f32.data() + t * k_padded;
      for (int64_t i = 0; i < k; ++i) x[i] = normal(random);
      table.quantize_int8(x, k, rows, t, 0);
      table.round_to_bf16(x, k, bf16.data() + t * k_padded);
    }
  }
  LevelTokens(const LevelTokens&) = delete;
  LevelTokens& operator=(const LevelTokens&) = delete;

  int32_t n;
  int64_t k_padded;
  std::vector<float> f32;
  std::vector<uint16_t> bf16;
  std::vector<int8_t> q;
  std::vector<float> d;
  std::vector<int32_t> nsum;
  std::vector<int32_t> nsum16;
  Int8Rows rows;
};

/// Random weights, packed.
struct LevelWeights {
  LevelWeights(DType type, int64_t rows, int64_t k, uint32_t seed)
      : matrix(type, rows, k, BlockContent::kRandom, seed), dtype(type), n_rows(rows), k_len(k) {
    auto allocated = HugeBuffer::allocate(static_cast<size_t>(packed_bytes(type, rows, k)));
    FORGE_CHECK(allocated.ok(), "no memory for a test matrix");
    packed = std::move(*allocated);
    pack_panels(matrix.view(), 0, n_panels(rows), packed.data());
  }
  RandomMatrix matrix;
  HugeBuffer packed;
  DType dtype;
  int64_t n_rows;
  int64_t k_len;
};

/// The first n_tokens tokens times all panels: (n_tokens, rows padded to 16).
inline std::vector<float> level_product(MatmulFn matmul, const LevelWeights& w,
                                        const LevelTokens& x, int32_t n_tokens) {
  const int64_t stride = round_up(w.n_rows, kPanelRows);
  std::vector<float> y(static_cast<size_t>(n_tokens * stride), std::nanf(""));
  // What the loops expand at once: three panels at up to 24 bytes per element and row.
  std::vector<std::byte> scratch(static_cast<size_t>(3 * 24 * 16 * round_up(w.k_len, 256)));
  const MatmulTask task{.weight = w.packed.data(),
                        .panel_bytes = panel_bytes(w.dtype, w.k_len),
                        .k = w.k_len,
                        .panel_begin = 0,
                        .panel_end = static_cast<int32_t>(n_panels(w.n_rows)),
                        .x_int8 = &x.rows,
                        .x_bf16 = x.bf16.data(),
                        .x_f32 = x.f32.data(),
                        .x_stride = x.k_padded,
                        .n_tokens = n_tokens,
                        .y = y.data(),
                        .y_stride = stride,
                        .scratch = scratch.data()};
  matmul(task);
  return y;
}

}  // namespace forge::kernels::cpu
