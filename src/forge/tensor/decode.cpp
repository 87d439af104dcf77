#include "forge/tensor/decode.h"

#include <cstring>

#include "forge/base/bytes.h"
#include "forge/base/check.h"
#include "forge/base/float16.h"
#include "forge/tensor/decode_blocks.h"
#include "forge/tensor/encode_levels.h"

namespace forge {
namespace {

template <typename Block>
void decode_row_of(const std::byte* data, int64_t n, float* out) {
  for (int64_t i = 0; i < n; i += Block::kLen, data += sizeof(Block)) {
    decode_block(load_le<Block>(data), out + i);
  }
}

void decode_bf16(const std::byte* data, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = bf16_to_f32(load_le<uint16_t>(data + 2 * i));
}

}  // namespace

void decode(DType dtype, const std::byte* data, int64_t n, float* out) {
  FORGE_CHECK(n >= 0 && n % info(dtype).block_len == 0, "{} of {}", n, name(dtype));
  if (n == 0) return;
  switch (dtype) {
    case DType::kF32:
      std::memcpy(out, data, static_cast<size_t>(n) * sizeof(float));
      return;
    case DType::kF16:
      decode_f16_at(encode_level(), data, n, out);
      return;
    case DType::kBF16:
      decode_bf16(data, n, out);
      return;
    case DType::kQ4_0:
      decode_row_of<BlockQ4_0>(data, n, out);
      return;
    case DType::kQ4_1:
      decode_row_of<BlockQ4_1>(data, n, out);
      return;
    case DType::kQ5_0:
      decode_row_of<BlockQ5_0>(data, n, out);
      return;
    case DType::kQ5_1:
      decode_row_of<BlockQ5_1>(data, n, out);
      return;
    case DType::kQ8_0:
      decode_row_of<BlockQ8_0>(data, n, out);
      return;
    case DType::kQ2_K:
      decode_row_of<BlockQ2_K>(data, n, out);
      return;
    case DType::kQ3_K:
      decode_row_of<BlockQ3_K>(data, n, out);
      return;
    case DType::kQ4_K:
      decode_row_of<BlockQ4_K>(data, n, out);
      return;
    case DType::kQ5_K:
      decode_row_of<BlockQ5_K>(data, n, out);
      return;
    case DType::kQ6_K:
      decode_row_of<BlockQ6_K>(data, n, out);
      return;
    case DType::kQ8_K:
      decode_row_of<BlockQ8_K>(data, n, out);
      return;
    case DType::kIQ4_NL:
      decode_row_of<BlockIQ4_NL>(data, n, out);
      return;
    case DType::kIQ4_XS:
      decode_row_of<BlockIQ4_XS>(data, n, out);
      return;
    case DType::kMXFP4:
      decode_row_of<BlockMXFP4>(data, n, out);
      return;
  }
}

}  // namespace forge
