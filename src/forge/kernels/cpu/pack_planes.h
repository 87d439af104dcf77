// One sub of a panel, 16 rows x 32 codes, between cells (one byte per code) and bit planes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "forge/kernels/cpu/packed_format.h"

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

/// Code i (0..31) of row r from the planes of a sub.
inline int read_code(const PackedFormat& format, const std::byte* planes, int r, int i) {
  const int cell = i / 4;
  const int at = 4 * r + i % 4;
  const auto bits = [&](const std::byte* plane, int b) {
    const auto byte = static_cast<int>(plane[cell % b * kCellBytes + at]);
    return (byte >> (b * (cell / b))) & ((1 << b) - 1);
  };
  int code = bits(planes, format.low_bits);
  if (format.high_bits > 0) {
    code |= bits(planes + format.low_bits * kCellBytes, format.high_bits) << format.low_bits;
  }
  return code;
}

/// Number i of n in a 6-bit plane pair (packed_format.h), set or read.
inline void set_six_bits(std::byte* packed, int n, int i, int value) {
  auto* bytes = reinterpret_cast<uint8_t*>(packed);
  uint8_t& low = bytes[i % (n / 2)];
  low = static_cast<uint8_t>(low | (value & 15) << (4 * (i / (n / 2))));
  uint8_t& high = bytes[n / 2 + i % (n / 4)];
  high = static_cast<uint8_t>(high | (value >> 4) << (2 * (i / (n / 4))));
}

inline int six_bits(const std::byte* packed, int n, int i) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(packed);
  const int low = (bytes[i % (n / 2)] >> (4 * (i / (n / 2)))) & 15;
  const int high = (bytes[n / 2 + i % (n / 4)] >> (2 * (i / (n / 4)))) & 3;
  return low | high << 4;
}

}  // namespace forge::kernels::cpu
