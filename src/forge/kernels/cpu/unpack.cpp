// The other way of pack.cpp: a row of a packed panel as f32.
#include <cstring>

#include "forge/base/float16.h"
#include "forge/kernels/cpu/block_type.h"
#include "forge/kernels/cpu/pack.h"
#include "forge/tensor/decode.h"

namespace forge::kernels::cpu {
namespace {

/// What was added to a block's code() so that the packed one is unsigned.
template <class Block>
constexpr int kBias = Block::kDType == DType::kQ8_0 || Block::kDType == DType::kQ8_K ? 128 : 0;

/// Code i (0..31) of row r from the planes of a sub.
int read_code(const PackedFormat& format, const std::byte* planes, int r, int i) {
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

/// Number i of n in a 6-bit plane pair (packed_format.h).
int six_bits(const std::byte* packed, int n, int i) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(packed);
  const int low = (bytes[i % (n / 2)] >> (4 * (i / (n / 2)))) & 15;
  const int high = (bytes[n / 2 + i % (n / 4)] >> (2 * (i / (n / 4)))) & 3;
  return low | high << 4;
}

float get_f16(const std::byte* header, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, header + 2 * index, 2);
  return f16_to_f32(bits);
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

template <class Block>
void unpack_block_row(const std::byte* panel, int r, int64_t k, float* out) {
  constexpr PackedFormat kFormat = packed_format(Block::kDType);
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

template <int kElementBytes, bool kAsPairs>
void unpack_float_row(DType dtype, const std::byte* panel, int r, int64_t k, float* out) {
  constexpr int64_t kRun = kAsPairs ? 2 : 1;
  for (int64_t i = 0; i < k; ++i) {
    const int64_t at = ((i / kRun) * kPanelRows + r) * kRun + i % kRun;
    decode(dtype, panel + at * kElementBytes, 1, out + i);
  }
}

}  // namespace

void unpack_row(DType dtype, const std::byte* panel, int r, int64_t k, float* out) {
  if (dtype == DType::kF32) return unpack_float_row<4, false>(dtype, panel, r, k, out);
  if (dtype == DType::kF16) return unpack_float_row<2, false>(dtype, panel, r, k, out);
  if (dtype == DType::kBF16) return unpack_float_row<2, true>(dtype, panel, r, k, out);
  with_block(dtype, [&]<class Block>(Block*) { unpack_block_row<Block>(panel, r, k, out); });
}

}  // namespace forge::kernels::cpu
