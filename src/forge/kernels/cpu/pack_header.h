// Headers of packed groups: written from a block of row r, and read back for unpack_row().
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "forge/base/float16.h"
#include "forge/kernels/cpu/pack_planes.h"
#include "forge/tensor/blocks.h"

namespace forge::kernels::cpu {

inline void put_f16(std::byte* header, int64_t index, uint16_t bits) {
  std::memcpy(header + 2 * index, &bits, 2);
}
inline float get_f16(const std::byte* header, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, header + 2 * index, 2);
  return f16_to_f32(bits);
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

/// Values of the block of row r, place b, from its codes: the operations and order of decode().
template <class Block>
void decode_codes(const std::byte* header, int r, int b, const int* codes, float* out) {
  constexpr DType kType = Block::kDType;
  const auto byte_at = [&](int64_t i) { return static_cast<uint8_t>(header[i]); };
  const auto centred = [&](float d, int offset, int begin, int end) {
    for (int i = begin; i < end; ++i) out[i] = d * static_cast<float>(codes[i] - offset);
  };
  if constexpr (kType == DType::kMXFP4) {
    const float d = e8m0_half(byte_at(b * kPanelRows + r));
    for (int i = 0; i < Block::kLen; ++i) {
      out[i] = d * static_cast<float>(kFp4DoubledValues[static_cast<size_t>(codes[i])]);
    }
  } else if constexpr (kType == DType::kQ8_K) {
    float d;
    std::memcpy(&d, header + 4 * r, 4);
    centred(d, 0, 0, Block::kLen);
  } else if constexpr (kType == DType::kQ4_1 || kType == DType::kQ5_1) {
    const float d = get_f16(header, b * kPanelRows + r);
    const float m = -get_f16(header, 32 + b * kPanelRows + r);
    for (int i = 0; i < Block::kLen; ++i) out[i] = static_cast<float>(codes[i]) * d + m;
  } else if constexpr (kType == DType::kQ4_K || kType == DType::kQ5_K || kType == DType::kQ2_K) {
    const float d = get_f16(header, r);
    const float dmin = get_f16(header, 16 + r);
    constexpr int kSub = kType == DType::kQ2_K ? 16 : 32;
    for (int j = 0; j < Block::kLen / kSub; ++j) {
      int scale = 0;
      int min = 0;
      if constexpr (kType == DType::kQ2_K) {
        scale = byte_at(64 + 16 * j + r) & 15;
        min = byte_at(64 + 16 * j + r) >> 4;
      } else {
        scale = six_bits(header + 64, 256, 32 * j + r);
        min = six_bits(header + 64, 256, 32 * j + 16 + r);
      }
      const float s = d * static_cast<float>(scale);
      const float m = dmin * static_cast<float>(min);
      for (int i = j * kSub; i < (j + 1) * kSub; ++i) out[i] = s * static_cast<float>(codes[i]) - m;
    }
  } else if constexpr (kType == DType::kQ3_K || kType == DType::kQ6_K) {
    const float d = get_f16(header, r);
    for (int j = 0; j < 16; ++j) {
      const int scale = kType == DType::kQ3_K ? six_bits(header + 64, 256, 16 * j + r) - 32
                                              : static_cast<int8_t>(byte_at(64 + 16 * j + r));
      centred(d * static_cast<float>(scale), packed_format(kType).offset, 16 * j, 16 * (j + 1));
    }
  } else if constexpr (kType == DType::kIQ4_XS) {
    const float d = get_f16(header, r);
    for (int j = 0; j < 8; ++j) {
      const float s = d * static_cast<float>(six_bits(header + 32, 128, 16 * j + r) - 32);
      for (int i = 32 * j; i < 32 * (j + 1); ++i) {
        out[i] = s * static_cast<float>(kIQ4Values[static_cast<size_t>(codes[i])]);
      }
    }
  } else {
    const float d = get_f16(header, b * kPanelRows + r);
    if constexpr (kType == DType::kIQ4_NL) {
      for (int i = 0; i < Block::kLen; ++i) {
        out[i] = d * static_cast<float>(kIQ4Values[static_cast<size_t>(codes[i])]);
      }
    } else {
      centred(d, kType == DType::kQ8_0 ? 0 : packed_format(kType).offset, 0, Block::kLen);
    }
  }
}

}  // namespace forge::kernels::cpu
