#include "tests/tensor/plain_encode/plain_encode.h"

#include "forge/base/bytes.h"
#include "forge/base/check.h"
#include "tests/tensor/plain_encode/encode_blocks.h"

namespace forge::plain {
namespace {

template <typename Block>
void encode_row_of(const float* values, int64_t n, std::byte* out) {
  for (int64_t i = 0; i < n; i += Block::kLen, out += sizeof(Block)) {
    Block block{};
    encode_block(values + i, block);
    store_le(out, block);
  }
}

}  // namespace

void encode(DType dtype, const float* values, int64_t n, std::byte* out) {
  switch (dtype) {
    case DType::kQ4_0:
      return encode_row_of<BlockQ4_0>(values, n, out);
    case DType::kQ4_1:
      return encode_row_of<BlockQ4_1>(values, n, out);
    case DType::kQ5_0:
      return encode_row_of<BlockQ5_0>(values, n, out);
    case DType::kQ5_1:
      return encode_row_of<BlockQ5_1>(values, n, out);
    case DType::kQ8_0:
      return encode_row_of<BlockQ8_0>(values, n, out);
    case DType::kQ2_K:
      return encode_row_of<BlockQ2_K>(values, n, out);
    case DType::kQ3_K:
      return encode_row_of<BlockQ3_K>(values, n, out);
    case DType::kQ4_K:
      return encode_row_of<BlockQ4_K>(values, n, out);
    case DType::kQ5_K:
      return encode_row_of<BlockQ5_K>(values, n, out);
    case DType::kQ6_K:
      return encode_row_of<BlockQ6_K>(values, n, out);
    case DType::kQ8_K:
      return encode_row_of<BlockQ8_K>(values, n, out);
    case DType::kIQ4_NL:
      return encode_row_of<BlockIQ4_NL>(values, n, out);
    case DType::kIQ4_XS:
      return encode_row_of<BlockIQ4_XS>(values, n, out);
    case DType::kMXFP4:
      return encode_row_of<BlockMXFP4>(values, n, out);
    default:
      FORGE_CHECK(false, "{} has no blocks", name(dtype));
  }
}

}  // namespace forge::plain
