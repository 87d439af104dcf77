// One block of each type from its values; encode() applies these along a row.
#pragma once

#include "forge/tensor/blocks.h"

namespace forge::plain {

/// values holds Block::kLen numbers. Every byte of the result is set. tensor/encode.h has the
/// promises.
void encode_block(const float* values, BlockQ4_0& block);
void encode_block(const float* values, BlockQ4_1& block);
void encode_block(const float* values, BlockQ5_0& block);
void encode_block(const float* values, BlockQ5_1& block);
void encode_block(const float* values, BlockQ8_0& block);
void encode_block(const float* values, BlockQ2_K& block);
void encode_block(const float* values, BlockQ3_K& block);
void encode_block(const float* values, BlockQ4_K& block);
void encode_block(const float* values, BlockQ5_K& block);
void encode_block(const float* values, BlockQ6_K& block);
void encode_block(const float* values, BlockQ8_K& block);
void encode_block(const float* values, BlockIQ4_NL& block);
void encode_block(const float* values, BlockIQ4_XS& block);
void encode_block(const float* values, BlockMXFP4& block);

}  // namespace forge::plain
