#include "forge/kernels/cpu/pack_float.h"

#include <algorithm>
#include <cstring>

#include "forge/kernels/cpu/pack_words.h"
#include "forge/kernels/cpu/packed_format.h"

namespace forge::kernels::cpu {
namespace {

/// A row's runs of kRunBytes (an element, or a pair) go to every 16 * kRunBytes of the panel. A
/// line of a few rows at a time: rows are often a multiple of 4 KiB apart, where L1 keeps 8 lines.
inline constexpr int64_t kLineBytes = 64;

/// Words (F32, pairs of BF16) of 4 rows, bytes [begin, begin + kLineBytes).
void transpose_words(const std::byte* const* rows, int64_t begin, std::byte* out) {
  for (int64_t i = 0; i < kLineBytes; i += 16) {
    const Chunk c = load_chunk(rows, begin + i);
    for (int v = 0; v < 4; ++v) store_vector(out + (begin + i + 4 * v) * kPanelRows, c.w[v]);
  }
}

/// Half words (F16) of 8 rows, the same bytes.
void transpose_half_words(const std::byte* const* rows, int64_t begin, std::byte* out) {
  for (int64_t i = 0; i < kLineBytes; i += 16) {
    // Word 4c + v of rows 0..3, of rows 4..7: k = 2v and 2v + 1 in each.
    const Chunk a = load_chunk(rows, begin + i);
    const Chunk b = load_chunk(rows + 4, begin + i);
    for (int v = 0; v < 4; ++v) {
      // 0 1 2 3 | 4 5 6 7 with an even and an odd k in each word: the evens, then the odds.
      const auto low = reinterpret_cast<HalfWords>(a.w[v]);
      const auto high = reinterpret_cast<HalfWords>(b.w[v]);
      const HalfWords even = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
      const HalfWords odd = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
      std::byte* to = out + (begin + i + 4 * v) * kPanelRows;
      store_vector(to, even);
      store_vector(to + 2 * kPanelRows, odd);
    }
  }
}

}  // namespace

void pack_float_panel(DType dtype, const std::byte* const* rows, int n_rows, int64_t k,
                      std::byte* out) {
  const int64_t element_bytes = info(dtype).block_bytes;
  const int64_t run_bytes = dtype == DType::kBF16 ? 4 : element_bytes;
  const int64_t row_bytes = k * element_bytes;
  int64_t done = 0;
  if (n_rows == kPanelRows) {
    for (; done + kLineBytes <= row_bytes; done += kLineBytes) {
      if (dtype == DType::kF16) {
        for (int r = 0; r < kPanelRows; r += 8) transpose_half_words(rows + r, done, out + 2 * r);
      } else {
        for (int r = 0; r < kPanelRows; r += 4) transpose_words(rows + r, done, out + 4 * r);
      }
    }
  }
  std::memset(out + done * kPanelRows, 0,
              static_cast<size_t>(panel_bytes(dtype, k) - done * kPanelRows));
  for (int r = 0; r < n_rows; ++r) {
    for (int64_t i = done; i < row_bytes; i += run_bytes) {
      std::memcpy(out + i * kPanelRows + r * run_bytes, rows[r] + i,
                  static_cast<size_t>(std::min(run_bytes, row_bytes - i)));
    }
  }
}

}  // namespace forge::kernels::cpu
