// IQ4_NL, IQ4_XS, MXFP4.
#include "forge/base/float16.h"
#include "forge/tensor/decode_blocks.h"

namespace forge {

void decode_block(const BlockIQ4_NL& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int i = 0; i < BlockIQ4_NL::kLen; ++i) {
    out[i] = d * static_cast<float>(kIQ4Values[block.code(i)]);
  }
}

void decode_block(const BlockIQ4_XS& block, float* out) {
  const float d = f16_to_f32(block.d);
  for (int j = 0; j < BlockIQ4_XS::kLen / 32; ++j) {
    const float scale = d * static_cast<float>(block.scale(j));
    for (int i = j * 32; i < (j + 1) * 32; ++i) {
      out[i] = scale * static_cast<float>(kIQ4Values[block.code(i)]);
    }
  }
}

void decode_block(const BlockMXFP4& block, float* out) {
  const float d = e8m0_half(block.e);
  for (int i = 0; i < BlockMXFP4::kLen; ++i) {
    out[i] = static_cast<float>(kFp4DoubledValues[block.code(i)]) * d;
  }
}

}  // namespace forge
