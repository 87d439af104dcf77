#include "forge/kernels/cpu/pack.h"

#include <algorithm>
#include <cstring>

#include "forge/base/check.h"
#include "forge/kernels/cpu/pack_header.h"
#include "forge/kernels/cpu/pack_planes.h"
#include "forge/tensor/blocks.h"
#include "forge/tensor/decode.h"

namespace forge::kernels::cpu {
namespace {

template <class Block>
constexpr PackedFormat kFormatOf = packed_format(Block::kDType);

/// What is added to a block's code() so that the packed one is unsigned.
template <class Block>
constexpr int kBias = Block::kDType == DType::kQ8_0 || Block::kDType == DType::kQ8_K ? 128 : 0;

template <class Block>
void pack_panel(const TensorView& matrix, int64_t panel, std::byte* out) {
  constexpr PackedFormat kFormat = kFormatOf<Block>;
  constexpr int kBlocksPerGroup = kFormat.group_len / Block::kLen;
  constexpr int kSubsPerBlock = Block::kLen / kSubLen;
  const int64_t n_blocks = matrix.columns() / Block::kLen;
  const int64_t n_groups = panel_groups(Block::kDType, matrix.columns());
  const auto n_rows =
      static_cast<int>(std::min<int64_t>(kPanelRows, matrix.rows() - panel * kPanelRows));
  const std::byte* rows[kPanelRows];
  for (int r = 0; r < n_rows; ++r) rows[r] = matrix.row(panel * kPanelRows + r);

  for (int64_t g = 0; g < n_groups; ++g) {
    std::byte* header = out + g * kFormat.group_bytes();
    std::byte* planes = header + kFormat.header_bytes;
    std::memset(header, 0, static_cast<size_t>(kFormat.header_bytes));
    for (int b = 0; b < kBlocksPerGroup; ++b) {
      SubCells subs[kSubsPerBlock];
      // Rows and columns beyond the matrix: code 0 times a scale of zero (MXFP4: code 0 is zero).
      std::memset(subs, 0, sizeof subs);
      const int64_t at = g * kBlocksPerGroup + b;
      for (int r = 0; r < n_rows && at < n_blocks; ++r) {
        Block block;
        std::memcpy(&block, rows[r] + at * static_cast<int64_t>(sizeof block), sizeof block);
        write_header(block, r, b, header);
        for (int s = 0; s < kSubsPerBlock; ++s) {
          uint8_t codes[kSubLen];
          for (int i = 0; i < kSubLen; ++i) {
            codes[i] = static_cast<uint8_t>(block.code(s * kSubLen + i) + kBias<Block>);
          }
          subs[s].set_row(r, codes);
        }
      }
      for (const SubCells& sub : subs) {
        write_plane<kFormat.low_bits, 0>(sub, planes);
        if constexpr (kFormat.high_bits > 0) {
          write_plane<kFormat.high_bits, kFormat.low_bits>(sub,
                                                           planes + kFormat.low_bits * kCellBytes);
        }
        planes += kFormat.sub_bytes();
      }
    }
  }
}

template <class Block>
void unpack_block_row(const std::byte* panel, int r, int64_t k, float* out) {
  constexpr PackedFormat kFormat = kFormatOf<Block>;
  constexpr int kBlocksPerGroup = kFormat.group_len / Block::kLen;
  for (int64_t i = 0; i < k; i += Block::kLen) {
    const int64_t at = i / Block::kLen;
    const std::byte* header = panel + at / kBlocksPerGroup * kFormat.group_bytes();
    const auto b = static_cast<int>(at % kBlocksPerGroup);
    const std::byte* planes =
        header + kFormat.header_bytes + b * (Block::kLen / kSubLen) * kFormat.sub_bytes();
    int codes[Block::kLen];
    for (int j = 0; j < Block::kLen; ++j) {
      codes[j] = read_code(kFormat, planes + j / kSubLen * kFormat.sub_bytes(), r, j % kSubLen) -
                 kBias<Block>;
    }
    decode_codes<Block>(header, r, b, codes, out + i);
  }
}

/// Cells of two-byte elements as pairs (BF16), of four-byte ones (F32), or rows of one k (F16).
template <int kElementBytes, bool kAsPairs>
void pack_float_panel(const TensorView& matrix, int64_t panel, std::byte* out) {
  const int64_t k = matrix.columns();
  const auto n_rows = std::min<int64_t>(kPanelRows, matrix.rows() - panel * kPanelRows);
  std::memset(out, 0, static_cast<size_t>(panel_bytes(matrix.dtype, k)));
  constexpr int64_t kRun = kAsPairs ? 2 : 1;  // elements of a row that stay together
  for (int64_t r = 0; r < n_rows; ++r) {
    const std::byte* row = matrix.row(panel * kPanelRows + r);
    for (int64_t i = 0; i < k; i += kRun) {
      const int64_t n = std::min<int64_t>(kRun, k - i);
      std::memcpy(out + (i / kRun * kPanelRows + r) * kRun * kElementBytes, row + i * kElementBytes,
                  static_cast<size_t>(n * kElementBytes));
    }
  }
}

template <int kElementBytes, bool kAsPairs>
void unpack_float_row(DType dtype, const std::byte* panel, int r, int64_t k, float* out) {
  constexpr int64_t kRun = kAsPairs ? 2 : 1;
  for (int64_t i = 0; i < k; ++i) {
    const int64_t at = ((i / kRun) * kPanelRows + r) * kRun + i % kRun;
    decode(dtype, panel + at * kElementBytes, 1, out + i);
  }
}

/// Calls f with a null pointer to the block type of dtype.
template <class F>
void with_block(DType dtype, F&& f) {
  switch (dtype) {
#define FORGE_BLOCK(type) \
  case DType::k##type:    \
    return f(static_cast<Block##type*>(nullptr));
    FORGE_BLOCK(Q4_0)
    FORGE_BLOCK(Q4_1)
    FORGE_BLOCK(Q5_0)
    FORGE_BLOCK(Q5_1)
    FORGE_BLOCK(Q8_0)
    FORGE_BLOCK(Q2_K)
    FORGE_BLOCK(Q3_K)
    FORGE_BLOCK(Q4_K)
    FORGE_BLOCK(Q5_K)
    FORGE_BLOCK(Q6_K)
    FORGE_BLOCK(Q8_K)
    FORGE_BLOCK(IQ4_NL)
    FORGE_BLOCK(IQ4_XS)
    FORGE_BLOCK(MXFP4)
#undef FORGE_BLOCK
    case DType::kF32:
    case DType::kF16:
    case DType::kBF16:
      break;
  }
  FORGE_CHECK(false, "{} has no blocks", name(dtype));
}

}  // namespace

void pack_panels(const TensorView& matrix, int64_t panel_begin, int64_t panel_end, std::byte* out) {
  const DType dtype = matrix.dtype;
  const int64_t bytes = panel_bytes(dtype, matrix.columns());
  for (int64_t p = panel_begin; p < panel_end; ++p, out += bytes) {
    if (dtype == DType::kF32) {
      pack_float_panel<4, false>(matrix, p, out);
    } else if (dtype == DType::kF16) {
      pack_float_panel<2, false>(matrix, p, out);
    } else if (dtype == DType::kBF16) {
      pack_float_panel<2, true>(matrix, p, out);
    } else {
      with_block(dtype, [&]<class Block>(Block*) { pack_panel<Block>(matrix, p, out); });
    }
  }
}

void unpack_row(DType dtype, const std::byte* panel, int r, int64_t k, float* out) {
  if (dtype == DType::kF32) return unpack_float_row<4, false>(dtype, panel, r, k, out);
  if (dtype == DType::kF16) return unpack_float_row<2, false>(dtype, panel, r, k, out);
  if (dtype == DType::kBF16) return unpack_float_row<2, true>(dtype, panel, r, k, out);
  with_block(dtype, [&]<class Block>(Block*) { unpack_block_row<Block>(panel, r, k, out); });
}

}  // namespace forge::kernels::cpu
