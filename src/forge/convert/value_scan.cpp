#include "forge/convert/value_scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "forge/base/bytes.h"
#include "forge/tensor/blocks.h"
#include "forge/tensor/decode.h"

namespace forge::convert {
namespace {

constexpr uint16_t kHalfExponent = 0x7C00;  // all ones: infinity or NaN

/// Where a block's f16 scales are. Equal offsets: one scale.
struct ScaleOffsets {
  size_t first = 0;
  size_t second = 0;
};

ScaleOffsets scales_of(DType dtype) {
  switch (dtype) {
    case DType::kQ4_1:
      return {offsetof(BlockQ4_1, d), offsetof(BlockQ4_1, m)};
    case DType::kQ5_1:
      return {offsetof(BlockQ5_1, d), offsetof(BlockQ5_1, m)};
    case DType::kQ2_K:
      return {offsetof(BlockQ2_K, d), offsetof(BlockQ2_K, dmin)};
    case DType::kQ4_K:
      return {offsetof(BlockQ4_K, d), offsetof(BlockQ4_K, dmin)};
    case DType::kQ5_K:
      return {offsetof(BlockQ5_K, d), offsetof(BlockQ5_K, dmin)};
    case DType::kQ3_K:
      return {offsetof(BlockQ3_K, d), offsetof(BlockQ3_K, d)};
    case DType::kQ6_K:
      return {offsetof(BlockQ6_K, d), offsetof(BlockQ6_K, d)};
    default:
      return {};  // at the front: Q4_0, Q5_0, Q8_0, IQ4_NL, IQ4_XS
  }
}

bool has_bad_half(const std::byte* at) {
  return (load_le<uint16_t>(at) & kHalfExponent) == kHalfExponent;
}

template <typename IsBad>
int64_t first_where(int64_t n, const IsBad& is_bad) {
  for (int64_t i = 0; i < n; ++i) {
    if (is_bad(i)) return i;
  }
  return -1;
}

/// Elements whose bits under the mask are all ones. Runs of elements are first looked at without a
/// branch, which vectorises.
template <typename Word>
int64_t first_with(Word mask, const std::byte* data, int64_t n) {
  constexpr int64_t kRun = 1024;
  for (int64_t begin = 0; begin < n; begin += kRun) {
    const int64_t end = std::min(begin + kRun, n);
    Word any = 0;
    for (int64_t i = begin; i < end; ++i) {
      Word word;
      std::memcpy(&word, data + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      any = static_cast<Word>(any | ((word & mask) == mask ? 1 : 0));
    }
    if (any == 0) continue;
    return begin + first_where(end - begin, [&](int64_t i) {
             const auto word =
                 load_le<Word>(data + (begin + i) * static_cast<int64_t>(sizeof(Word)));
             return (word & mask) == mask;
           });
  }
  return -1;
}

bool is_bad_mxfp4(const std::byte* block) {
  // Up to here six times the scale is a number whatever the codes are.
  constexpr int kLastSafe = 252;
  if (std::to_integer<int>(block[offsetof(BlockMXFP4, e)]) <= kLastSafe) return false;
  std::array<float, BlockMXFP4::kLen> values;
  decode(DType::kMXFP4, block, BlockMXFP4::kLen, values.data());
  return !std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

int64_t first_bad_block(DType dtype, const std::byte* data, int64_t n_blocks) {
  const int64_t stride = info(dtype).block_bytes;
  switch (dtype) {
    case DType::kF32:
      return first_with<uint32_t>(0x7F800000U, data, n_blocks);
    case DType::kF16:
      return first_with<uint16_t>(kHalfExponent, data, n_blocks);
    case DType::kBF16:
      return first_with<uint16_t>(0x7F80, data, n_blocks);
    case DType::kMXFP4:
      return first_where(n_blocks, [&](int64_t i) { return is_bad_mxfp4(data + i * stride); });
    case DType::kQ8_K:
      return first_where(n_blocks, [&](int64_t i) {
        // Times the largest code.
        return !std::isfinite(128.0f * load_le<float>(data + i * stride));
      });
    default: {
      const ScaleOffsets scales = scales_of(dtype);
      return first_where(n_blocks, [&](int64_t i) {
        const std::byte* block = data + i * stride;
        return has_bad_half(block + scales.first) || has_bad_half(block + scales.second);
      });
    }
  }
}

}  // namespace forge::convert
