// Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.
#include "forge/base/float16.h"
#include "forge/tensor/decode_blocks.h"

namespace forge {
namespace {

// d * (code - offset)
template <typename Block>
void decode_centred(const Block& block, int offset, float* out) {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < Block::kLen; ++i) {
    out[i] = static_cast<float>(block.code(i) - offset) * d;
  }
}

// d * code + m
template <typename Block>
void decode_shifted(const Block& block, float* out) {
  const float d = f16_to_f32(block.d);
  const float m = f16_to_f32(block.m);
  for (int i = 0; i < Block::kLen; ++i) out[i] = static_cast<float>(block.code(i)) * d + m;
}

}  // namespace

void decode_block(const BlockQ4_0& block, float* out) { decode_centred(block, 8, out); }
void decode_block(const BlockQ4_1& block, float* out) { decode_shifted(block, out); }
void decode_block(const BlockQ5_0& block, float* out) { decode_centred(block, 16, out); }
void decode_block(const BlockQ5_1& block, float* out) { decode_shifted(block, out); }
void decode_block(const BlockQ8_0& block, float* out) { decode_centred(block, 0, out); }

}  // namespace forge
