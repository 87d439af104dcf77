// Packed matrix products of every ISA level this machine runs, against float64 on the same
// quantised inputs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "forge/base/float16.h"
#include "forge/base/huge_buffer.h"
#include "forge/kernels/cpu/levels.h"
#include "forge/kernels/cpu/pack.h"
#include "forge/tensor/decode.h"
#include "tests/kernels/random_blocks.h"

namespace forge::kernels::cpu {
namespace {

std::vector<IsaLevel> levels() {
  std::vector<IsaLevel> usable;
  for (const IsaLevel level : built_levels()) {
    if (is_supported(level)) usable.push_back(level);
  }
  return usable;
}

/// Memory for int8 tokens of some width.
struct Int8Memory {
  Int8Memory(int32_t n_tokens, int64_t k_padded, int32_t width) {
    const auto slots = static_cast<size_t>(round_up(n_tokens, 16) * k_padded / 32);
    q.assign(slots * 32, 0);
    d.assign(slots, 0.0f);
    nsum.assign(slots, 0);
    nsum16.assign(slots * 2, 0);
    rows = {q.data(), d.data(), nsum.data(), nsum16.data(), k_padded / 32, width};
  }
  Int8Memory(const Int8Memory&) = delete;
  Int8Memory& operator=(const Int8Memory&) = delete;

  std::vector<int8_t> q;
  std::vector<float> d;
  std::vector<int32_t> nsum;
  std::vector<int32_t> nsum16;
  Int8Rows rows;
};

/// Activations in every form kernels take, and what each form's values are.
struct Activations {
  Activations(const KernelTable& table, int32_t n_tokens, int64_t k, uint32_t seed)
      : n(n_tokens), k_len(k), k_padded(round_up(k, 256)), int8(n_tokens, k_padded, 1) {
    const auto cells = static_cast<size_t>(n * k_padded);
    f32.assign(cells, 0.0f);
    bf16.assign(cells, 0);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int32_t t = 0; t < n; ++t) {
      float* x = f32.data() + t * k_padded;
      for (int64_t i = 0; i < k; ++i) x[i] = normal(random);
      table.quantize_int8(x, k, int8.rows, t, 0);
      table.round_to_bf16(x, k, bf16.data() + t * k_padded);
    }
  }
  /// Element i of token t as a kernel for `kind` sees it.
  [[nodiscard]] double value(ActivationKind kind, int32_t t, int64_t i) const {
    const auto at = static_cast<size_t>(t * k_padded + i);
    if (kind == ActivationKind::kF32) return f32[at];
    if (kind == ActivationKind::kBf16) return bf16_to_f32(bf16[at]);
    return static_cast<double>(int8.d[at / 32]) * int8.q[at];
  }
  int32_t n;
  int64_t k_len;
  int64_t k_padded;
  std::vector<float> f32;
  std::vector<uint16_t> bf16;
  Int8Memory int8;  // of width 1: plain rows
};

ActivationKind kind_of(DType dtype) {
  if (dtype == DType::kBF16) return ActivationKind::kBf16;
  return is_float(dtype) ? ActivationKind::kF32 : ActivationKind::kInt8;
}

struct Packed {
  Packed(DType dtype, int64_t rows, int64_t k, uint32_t seed)
      : matrix(dtype, rows, k, BlockContent::kRandom, seed), n_rows(rows), k_len(k) {
    auto allocated = HugeBuffer::allocate(static_cast<size_t>(packed_bytes(dtype, rows, k)));
    buffer = std::move(*allocated);
    pack_panels(matrix.view(), 0, n_panels(rows), buffer.data());
  }
  RandomMatrix matrix;
  HugeBuffer buffer;
  int64_t n_rows;
  int64_t k_len;
};

/// (n_tokens, rows padded to 16)
std::vector<float> multiply(const KernelTable& table, const Packed& w, const Activations& x,
                            int32_t first_token, int32_t n_tokens, int32_t panels_at_once) {
  const DType dtype = w.matrix.view().dtype;
  const int64_t stride = round_up(w.n_rows, kPanelRows);
  std::vector<float> y(static_cast<size_t>(n_tokens * stride), std::nanf(""));
  std::vector<std::byte> scratch(static_cast<size_t>(matmul_scratch_bytes(w.k_len)));
  const Int8Memory int8(n_tokens, x.k_padded, table.int8_width(n_tokens));
  for (int32_t t = 0; t < n_tokens; ++t) {
    table.quantize_int8(x.f32.data() + (first_token + t) * x.k_padded, x.k_len, int8.rows, t, 0);
  }
  const auto n = static_cast<int32_t>(n_panels(w.n_rows));
  for (int32_t p = 0; p < n; p += panels_at_once) {
    const MatmulTask task{.weight = w.buffer.data(),
                          .panel_bytes = panel_bytes(dtype, w.k_len),
                          .k = w.k_len,
                          .panel_begin = p,
                          .panel_end = std::min(n, p + panels_at_once),
                          .x_int8 = &int8.rows,
                          .x_bf16 = x.bf16.data() + first_token * x.k_padded,
                          .x_f32 = x.f32.data() + first_token * x.k_padded,
                          .x_stride = x.k_padded,
                          .n_tokens = n_tokens,
                          .y = y.data() + p * kPanelRows,
                          .y_stride = stride,
                          .scratch = scratch.data()};
    table.matmul[static_cast<int>(dtype)](task);
  }
  return y;
}

int64_t k_for(const DTypeInfo& type, int64_t n) {
  return type.block_len == 1 ? 37 * n : type.block_len * n;
}

TEST(CpuMatmul, agrees_with_float64_on_the_same_inputs) {
  for (const IsaLevel level : levels()) {
    const KernelTable& table = kernels_of(level);
    for (const DTypeInfo& type : all_dtypes()) {
      for (const int64_t rows : {1, 17, 96}) {
        for (const int64_t blocks : {1, 3}) {
          const int64_t k = k_for(type, blocks);
          const Packed w(type.dtype, rows, k, 7);
          const int32_t n_tokens = 37;
          const Activations x(table, n_tokens, k, 3);
          const std::vector<float> y = multiply(table, w, x, 0, n_tokens, 6);
          const int64_t stride = round_up(rows, kPanelRows);
          std::vector<float> row(static_cast<size_t>(k));
          for (int64_t r = 0; r < rows; ++r) {
            decode_row(w.matrix.view(), r, row.data());
            for (int32_t t = 0; t < n_tokens; ++t) {
              double sum = 0.0;
              double magnitude = 1e-30;
              for (int64_t i = 0; i < k; ++i) {
                const double p = row[static_cast<size_t>(i)] * x.value(kind_of(type.dtype), t, i);
                sum += p;
                magnitude += std::fabs(p);
              }
              // Minimums and offsets multiply sums of activations, whose terms cancel: the bound
              // is on the magnitudes before.
              ASSERT_NEAR(y[static_cast<size_t>(t * stride + r)], sum, 1e-5 * magnitude)
                  << name(level) << " " << type.name << " row " << r << " token " << t << " k "
                  << k;
            }
          }
        }
      }
    }
  }
}

TEST(CpuMatmul, a_token_has_the_same_bits_in_any_batch) {
  for (const IsaLevel level : levels()) {
    const KernelTable& table = kernels_of(level);
    for (const DTypeInfo& type : all_dtypes()) {
      const int64_t k = k_for(type, 3);
      const Packed w(type.dtype, 16 * 7, k, 5);
      const int64_t stride = 16 * 7;
      const int32_t most = level == IsaLevel::kScalar ? 33 : 257;
      const Activations x(table, most, k, 11);
      const std::vector<float> all = multiply(table, w, x, 0, most, 6);
      for (const int32_t n : {1, 2, 3, 5, 6, 7, 8, 9, 31, 32, 33, 255, 256}) {
        if (n > most) continue;
        const int32_t first = most - n;
        for (const int32_t panels : {1, 2, 5, 7}) {
          const std::vector<float> some = multiply(table, w, x, first, n, panels);
          ASSERT_EQ(
              std::memcmp(some.data(), all.data() + first * stride, some.size() * sizeof(float)), 0)
              << name(level) << " " << type.name << " tokens " << n << " panels " << panels;
        }
      }
    }
  }
}

}  // namespace
}  // namespace forge::kernels::cpu
