#include "forge/tensor/level/encode_blocks.h"
#include "forge/tensor/level/halves.h"

namespace forge::FORGE_TENSOR_LEVEL {
namespace {

typedef uint16_t Words __attribute__((vector_size(2 * kLanes)));

template <typename Convert>
FORGE_LANES_INLINE void encode_words(const float* values, int64_t n, std::byte* out,
                                     const Convert& convert) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Words words = __builtin_convertvector(convert(load(values + i)), Words);
    __builtin_memcpy(out + 2 * i, &words, sizeof words);
  }
  if (i == n) return;
  const auto rest = static_cast<size_t>(n - i);
  Lanes last{};
  __builtin_memcpy(&last, values + i, rest * sizeof(float));
  const Words words = __builtin_convertvector(convert(last), Words);
  __builtin_memcpy(out + 2 * i, &words, rest * sizeof(uint16_t));
}

}  // namespace

void encode_f16(const float* values, int64_t n, std::byte* out) {
  encode_words(values, n, out, [](Lanes v) { return to_halves(v); });
}
void encode_bf16(const float* values, int64_t n, std::byte* out) {
  encode_words(values, n, out, [](Lanes v) { return to_bf16(v); });
}

// Declared in tensor/encode_levels.cpp, as the next one.
void decode_f16(const std::byte* data, int64_t n, float* out) {
  int64_t i = 0;
  Words words;
  for (; i + kLanes <= n; i += kLanes) {
    __builtin_memcpy(&words, data + 2 * i, sizeof words);
    store(out + i, from_halves(__builtin_convertvector(words, Ints)));
  }
  if (i == n) return;
  const auto rest = static_cast<size_t>(n - i);
  words = Words{};
  __builtin_memcpy(&words, data + 2 * i, rest * sizeof(uint16_t));
  const Lanes last = from_halves(__builtin_convertvector(words, Ints));
  __builtin_memcpy(out + i, &last, rest * sizeof(float));
}

void encode(DType dtype, const float* values, int64_t n, std::byte* out) {
  switch (dtype) {
    case DType::kF32:
      __builtin_memcpy(out, values, static_cast<size_t>(n) * sizeof(float));
      return;
    case DType::kF16:
      return encode_f16(values, n, out);
    case DType::kBF16:
      return encode_bf16(values, n, out);
    case DType::kQ4_0:
      return encode_q4_0(values, n, out);
    case DType::kQ4_1:
      return encode_q4_1(values, n, out);
    case DType::kQ5_0:
      return encode_q5_0(values, n, out);
    case DType::kQ5_1:
      return encode_q5_1(values, n, out);
    case DType::kQ8_0:
      return encode_q8_0(values, n, out);
    case DType::kQ2_K:
      return encode_q2_k(values, n, out);
    case DType::kQ3_K:
      return encode_q3_k(values, n, out);
    case DType::kQ4_K:
      return encode_q4_k(values, n, out);
    case DType::kQ5_K:
      return encode_q5_k(values, n, out);
    case DType::kQ6_K:
      return encode_q6_k(values, n, out);
    case DType::kQ8_K:
      return encode_q8_k(values, n, out);
    case DType::kIQ4_NL:
      return encode_iq4_nl(values, n, out);
    case DType::kIQ4_XS:
      return encode_iq4_xs(values, n, out);
    case DType::kMXFP4:
      return encode_mxfp4(values, n, out);
  }
}

}  // namespace forge::FORGE_TENSOR_LEVEL
