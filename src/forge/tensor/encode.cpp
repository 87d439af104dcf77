#include "forge/tensor/encode.h"

#include <cstdlib>
#include <cstring>

#include "forge/base/bytes.h"
#include "forge/base/check.h"
#include "forge/base/float16.h"
#include "forge/tensor/encode_levels.h"
#include "forge/tensor/encode_simple.h"

namespace forge {
namespace {

template <typename Block>
void encode_row_of(const float* values, int64_t n, std::byte* out) {
  for (int64_t i = 0; i < n; i += Block::kLen, out += sizeof(Block)) {
    Block block{};
    encode_block(values + i, block);
    store_le(out, block);
  }
}

template <uint16_t (*kConvert)(float)>
void encode_halves(const float* values, int64_t n, std::byte* out) {
  for (int64_t i = 0; i < n; ++i) store_le(out + 2 * i, kConvert(values[i]));
}

EncodeLevel level_of_environment() {
  const char* isa = std::getenv("FORGE_ISA");
  return choose_encode_level(isa == nullptr ? std::optional<std::string_view>{} : isa);
}

}  // namespace

bool can_encode(DType dtype) { return info(dtype).dtype == dtype; }

void encode(DType dtype, const float* values, int64_t n, std::byte* out) {
  static const EncodeLevel level = level_of_environment();
  encode_at(level, dtype, values, n, out);
}

void encode_at(EncodeLevel level, DType dtype, const float* values, int64_t n, std::byte* out) {
  FORGE_CHECK(n >= 0 && n % info(dtype).block_len == 0, "{} of {}", n, name(dtype));
  if (n == 0) return;
  switch (dtype) {
    case DType::kF32:
      std::memcpy(out, values, static_cast<size_t>(n) * sizeof(float));
      return;
    case DType::kF16:
      encode_halves<f32_to_f16>(values, n, out);
      return;
    case DType::kBF16:
      encode_halves<f32_to_bf16>(values, n, out);
      return;
    case DType::kQ4_0:
      encode_row_of<BlockQ4_0>(values, n, out);
      return;
    case DType::kQ4_1:
      encode_row_of<BlockQ4_1>(values, n, out);
      return;
    case DType::kQ5_0:
      encode_row_of<BlockQ5_0>(values, n, out);
      return;
    case DType::kQ5_1:
      encode_row_of<BlockQ5_1>(values, n, out);
      return;
    case DType::kQ8_0:
      encode_row_of<BlockQ8_0>(values, n, out);
      return;
    case DType::kQ8_K:
      encode_row_of<BlockQ8_K>(values, n, out);
      return;
    default:
      encode_searched_at(level, dtype, values, n, out);
  }
}

}  // namespace forge
