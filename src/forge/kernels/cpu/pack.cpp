#include "forge/kernels/cpu/pack.h"

#include <algorithm>
#include <cstring>

#include "forge/base/check.h"
#include "forge/kernels/cpu/block_type.h"
#include "forge/kernels/cpu/pack_float.h"
#include "forge/kernels/cpu/pack_header.h"
#include "forge/kernels/cpu/pack_planes.h"
#include "forge/kernels/cpu/store_past_caches.h"

namespace forge::kernels::cpu {
namespace {

/// The rows of a panel, and how many of them the matrix has.
struct PanelRows {
  PanelRows(const TensorView& matrix, int64_t panel)
      : row_bytes(matrix.bytes_per_row()),
        n(static_cast<int>(std::min<int64_t>(kPanelRows, matrix.rows() - panel * kPanelRows))) {
    for (int r = 0; r < n; ++r) at[r] = matrix.data + (panel * kPanelRows + r) * row_bytes;
  }
  const std::byte* at[kPanelRows];
  int64_t row_bytes;
  int n;
};

/// Fetches the panel after this one into L2 while this one is packed, piece by piece. Sixteen short
/// rows are read side by side, several of them in a page: an order that hardware prefetchers take
/// for none, though their bytes are one run. Without it rows of 2,048 are packed at half the speed
/// (docs/perf/packing.md).
class NextPanel {
 public:
  /// Panels above this have a page or more per row, which the hardware follows by itself, and would
  /// not stay in L2.
  static constexpr int64_t kMostBytes = 256 * 1024;

  /// rows: of the next panel, or of this one where it is the last.
  explicit NextPanel(const PanelRows& rows) : begin_(rows.at[0]), bytes_(rows.n * rows.row_bytes) {
    if (bytes_ > kMostBytes) bytes_ = 0;
  }
  /// Piece i of n.
  void fetch(int64_t i, int64_t n) const {
    const int64_t end = bytes_ * (i + 1) / n;
    for (int64_t at = bytes_ * i / n; at < end; at += 64) __builtin_prefetch(begin_ + at, 0, 2);
  }

 private:
  const std::byte* begin_;
  int64_t bytes_;
};

/// One group at out: group_bytes, aligned to 16. blocks: of the panel's rows and zero blocks after
/// them; n_blocks of a row are left from this group on.
template <class Block>
void pack_group(const PanelRows& rows, int64_t first_block, int64_t n_blocks,
                const std::byte** blocks, std::byte* out) {
  constexpr DType kType = Block::kDType;
  constexpr PackedFormat kFormat = packed_format(kType);
  constexpr int kBlockPlaneBytes = Block::kLen / kSubLen * kFormat.sub_bytes();
  std::memset(out, 0, static_cast<size_t>(kFormat.header_bytes));
  for (int b = 0; b < kFormat.group_len / Block::kLen; ++b) {
    std::byte* planes = out + kFormat.header_bytes + b * kBlockPlaneBytes;
    if (first_block + b >= n_blocks) {  // codes of no column: zero, times a scale of zero
      std::memset(planes, 0, kBlockPlaneBytes);
      continue;
    }
    for (int r = 0; r < rows.n; ++r) {
      blocks[r] = rows.at[r] + (first_block + b) * static_cast<int64_t>(sizeof(Block));
    }
    write_header<Block>(blocks, rows.n, b, out);
    for (int quarter = 0; quarter < 4; ++quarter) {
      write_planes<Block>(PlaneWriter<kType>(planes, quarter), blocks + 4 * quarter);
    }
    if (rows.n == kPanelRows) continue;
    for (int v = 0; v < kBlockPlaneBytes; v += kCellBytes) {
      std::memset(planes + v + 4 * rows.n, 0, static_cast<size_t>(kCellBytes - 4 * rows.n));
    }
  }
}

template <class Block>
void pack_panel(const PanelRows& rows, const NextPanel& next, int64_t n_blocks, std::byte* out) {
  constexpr PackedFormat kFormat = packed_format(Block::kDType);
  constexpr int kBlocksPerGroup = kFormat.group_len / Block::kLen;
  const int64_t n_groups = (n_blocks + kBlocksPerGroup - 1) / kBlocksPerGroup;
  static constexpr std::byte kZeroBlock[sizeof(Block)] = {};
  const std::byte* blocks[kPanelRows];
  std::fill(blocks, blocks + kPanelRows, kZeroBlock);
  // Vectors are written a quarter at a time; from here whole lines go past the caches, since nobody
  // reads weights before all are packed.
  alignas(64) std::byte group[kFormat.group_bytes()];
  for (int64_t g = 0; g < n_groups; ++g) {
    next.fetch(g, n_groups);
    pack_group<Block>(rows, g * kBlocksPerGroup, n_blocks, blocks, group);
    store_past_caches(out + g * kFormat.group_bytes(), group, kFormat.group_bytes());
  }
}

}  // namespace

void pack_panels(const TensorView& matrix, int64_t panel_begin, int64_t panel_end, std::byte* out) {
  FORGE_CHECK(reinterpret_cast<uintptr_t>(out) % 16 == 0, "panels must be aligned to 16 bytes");
  const DType dtype = matrix.dtype;
  const int64_t k = matrix.columns();
  const int64_t bytes = panel_bytes(dtype, k);
  for (int64_t p = panel_begin; p < panel_end; ++p, out += bytes) {
    const PanelRows rows(matrix, p);
    if (is_float(dtype)) {
      pack_float_panel(dtype, rows.at, rows.n, k, out);
    } else {
      const NextPanel next(PanelRows(matrix, p + 1 < n_panels(matrix.rows()) ? p + 1 : p));
      with_block(dtype,
                 [&]<class Block>(Block*) { pack_panel<Block>(rows, next, k / Block::kLen, out); });
    }
  }
  order_stores_past_caches();
}

}  // namespace forge::kernels::cpu
