// Packing code by code, straight from packed_format.h and each block's code(): what the fast packer
// is tested against.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "forge/kernels/cpu/block_type.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/tensor/view.h"

namespace forge::kernels::cpu {

/// Codes of a sub by cell: byte 4r + b of cell j is element 4j + b of row r.
struct SubCells {
  alignas(64) uint8_t cells[8][kCellBytes];

  /// 32 codes of a row.
  void set_row(int r, const uint8_t* codes) {
    for (int j = 0; j < 8; ++j) std::memcpy(&cells[j][4 * r], codes + 4 * j, 4);
  }
  [[nodiscard]] uint8_t at(int r, int i) const { return cells[i / 4][4 * r + i % 4]; }
};

/// Bits [kFrom, kFrom + kBits) of every code as a plane of kBits vectors.
template <int kBits, int kFrom>
void write_plane(const SubCells& sub, std::byte* out) {
  constexpr int kMask = (1 << kBits) - 1;
  for (int v = 0; v < kBits; ++v) {
    uint8_t vector[kCellBytes] = {};
    for (int j = v; j < 8; j += kBits) {
      const int shift = kBits * (j / kBits);
      for (int i = 0; i < kCellBytes; ++i) {
        const int bits = (sub.cells[j][i] >> kFrom) & kMask;
        vector[i] = static_cast<uint8_t>(vector[i] | bits << shift);
      }
    }
    std::memcpy(out + v * kCellBytes, vector, kCellBytes);
  }
}

/// Number i of n in a 6-bit plane pair (packed_format.h), set or read.
inline void set_six_bits(std::byte* packed, int n, int i, int value) {
  auto* bytes = reinterpret_cast<uint8_t*>(packed);
  uint8_t& low = bytes[i % (n / 2)];
  low = static_cast<uint8_t>(low | (value & 15) << (4 * (i / (n / 2))));
  uint8_t& high = bytes[n / 2 + i % (n / 4)];
  high = static_cast<uint8_t>(high | (value >> 4) << (2 * (i / (n / 4))));
}

inline void put_f16(std::byte* header, int64_t index, uint16_t bits) {
  std::memcpy(header + 2 * index, &bits, 2);
}

/// b: the block's place in its group.
template <class Block>
void write_header(const Block& block, int r, int b, std::byte* header) {
  constexpr DType kType = Block::kDType;
  if constexpr (kType == DType::kMXFP4) {
    header[b * kPanelRows + r] = static_cast<std::byte>(block.e);
  } else if constexpr (kType == DType::kQ8_K) {
    std::memcpy(header + 4 * r, &block.d, 4);
  } else if constexpr (kType == DType::kQ4_1 || kType == DType::kQ5_1) {
    put_f16(header, b * kPanelRows + r, block.d);
    put_f16(header, 32 + b * kPanelRows + r, block.m ^ 0x8000);  // negated: kernels subtract
  } else if constexpr (kType == DType::kQ4_K || kType == DType::kQ5_K) {
    put_f16(header, r, block.d);
    put_f16(header, 16 + r, block.dmin);
    for (int j = 0; j < 8; ++j) {
      set_six_bits(header + 64, 256, 32 * j + r, block.scale(j));
      set_six_bits(header + 64, 256, 32 * j + 16 + r, block.min(j));
    }
  } else if constexpr (kType == DType::kQ2_K) {
    put_f16(header, r, block.d);
    put_f16(header, 16 + r, block.dmin);
    for (int j = 0; j < 16; ++j) {
      header[64 + 16 * j + r] = static_cast<std::byte>(block.scales[j]);
    }
  } else if constexpr (kType == DType::kQ3_K) {
    put_f16(header, r, block.d);
    for (int j = 0; j < 16; ++j) set_six_bits(header + 64, 256, 16 * j + r, block.scale(j) + 32);
  } else if constexpr (kType == DType::kQ6_K) {
    put_f16(header, r, block.d);
    for (int j = 0; j < 16; ++j) {
      header[64 + 16 * j + r] = static_cast<std::byte>(block.scales[j]);
    }
  } else if constexpr (kType == DType::kIQ4_XS) {
    put_f16(header, r, block.d);
    for (int j = 0; j < 8; ++j) set_six_bits(header + 32, 128, 16 * j + r, block.scale(j) + 32);
  } else {
    put_f16(header, b * kPanelRows + r, block.d);
  }
}

/// What is added to a block's code() so that the packed one is unsigned.
template <class Block>
constexpr int kBias = Block::kDType == DType::kQ8_0 || Block::kDType == DType::kQ8_K ? 128 : 0;

template <class Block>
void pack_panel_by_code(const TensorView& matrix, int64_t panel, std::byte* out) {
  constexpr PackedFormat kFormat = packed_format(Block::kDType);
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

/// Cells of two-byte elements as pairs (BF16), of four-byte ones (F32), or rows of one k (F16).
template <int kElementBytes, bool kAsPairs>
void pack_float_panel_by_element(const TensorView& matrix, int64_t panel, std::byte* out) {
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

/// The whole matrix, packed_bytes() of it.
inline std::vector<std::byte> pack_by_code(const TensorView& matrix) {
  const DType dtype = matrix.dtype;
  const int64_t bytes = panel_bytes(dtype, matrix.columns());
  std::vector<std::byte> packed(static_cast<size_t>(n_panels(matrix.rows()) * bytes));
  for (int64_t p = 0; p < n_panels(matrix.rows()); ++p) {
    std::byte* out = packed.data() + p * bytes;
    if (dtype == DType::kF32) {
      pack_float_panel_by_element<4, false>(matrix, p, out);
    } else if (dtype == DType::kF16) {
      pack_float_panel_by_element<2, false>(matrix, p, out);
    } else if (dtype == DType::kBF16) {
      pack_float_panel_by_element<2, true>(matrix, p, out);
    } else {
      with_block(dtype, [&]<class Block>(Block*) { pack_panel_by_code<Block>(matrix, p, out); });
    }
  }
  return packed;
}

}  // namespace forge::kernels::cpu
