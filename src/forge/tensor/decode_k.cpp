// Q2_K to Q6_K and Q8_K.
#include "forge/base/float16.h"
#include "forge/tensor/decode_blocks.h"

namespace forge {
namespace {

// d * scale(j) * code - dmin * min(j)
template <int kSubLen, typename Block>
void decode_affine(const Block& block, float* out) {
  const float d = f16_to_f32(block.d);
  const float dmin = f16_to_f32(block.dmin);
  for (int j = 0; j < Block::kLen / kSubLen; ++j) {
    const float scale = d * static_cast<float>(block.scale(j));
    const float min = dmin * static_cast<float>(block.min(j));
    for (int i = j * kSubLen; i < (j + 1) * kSubLen; ++i) {
      out[i] = scale * static_cast<float>(block.code(i)) - min;
    }
  }
}

// d * scale(j) * (code - offset), sub-blocks of 16
template <typename Block>
void decode_centred(const Block& block, int offset, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < Block::kLen / 16; ++j) {
    const float scale = d * static_cast<float>(block.scale(j));
    for (int i = j * 16; i < (j + 1) * 16; ++i) {
      out[i] = scale * static_cast<float>(block.code(i) - offset);
    }
  }
}

}  // namespace

void decode_block(const BlockQ2_K& block, float* out) { decode_affine<16>(block, out); }
void decode_block(const BlockQ3_K& block, float* out) { decode_centred(block, 4, out); }
void decode_block(const BlockQ4_K& block, float* out) { decode_affine<32>(block, out); }
void decode_block(const BlockQ5_K& block, float* out) { decode_affine<32>(block, out); }
void decode_block(const BlockQ6_K& block, float* out) { decode_centred(block, 32, out); }

void decode_block(const BlockQ8_K& block, float* out) {
  for (int i = 0; i < BlockQ8_K::kLen; ++i) out[i] = block.d * static_cast<float>(block.code(i));
}

}  // namespace forge
