// The value of one block of each type; decode() applies these along a row.
#pragma once

#include "forge/tensor/blocks.h"

namespace forge {

/// out holds Block::kLen values. The f32 operations and their order are those of ggml's
/// dequantize_row_* functions, so the bits agree; the build forbids fusing them.
void decode_block(const BlockQ4_0& block, float* out);
void decode_block(const BlockQ4_1& block, float* out);
void decode_block(const BlockQ5_0& block, float* out);
void decode_block(const BlockQ5_1& block, float* out);
void decode_block(const BlockQ8_0& block, float* out);
void decode_block(const BlockQ2_K& block, float* out);
void decode_block(const BlockQ3_K& block, float* out);
void decode_block(const BlockQ4_K& block, float* out);
void decode_block(const BlockQ5_K& block, float* out);
void decode_block(const BlockQ6_K& block, float* out);
void decode_block(const BlockQ8_K& block, float* out);
void decode_block(const BlockIQ4_NL& block, float* out);
void decode_block(const BlockIQ4_XS& block, float* out);
void decode_block(const BlockMXFP4& block, float* out);

}  // namespace forge
