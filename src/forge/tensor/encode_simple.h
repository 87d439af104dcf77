// Encoders without a search, one block at a time.
#pragma once

#include "forge/tensor/blocks.h"

namespace forge {

/// values holds Block::kLen numbers. Every byte of the result is set. tensor/encode.h has the
/// promises.
void encode_block(const float* values, BlockQ4_0& block);
void encode_block(const float* values, BlockQ4_1& block);
void encode_block(const float* values, BlockQ5_0& block);
void encode_block(const float* values, BlockQ5_1& block);
void encode_block(const float* values, BlockQ8_0& block);
void encode_block(const float* values, BlockQ8_K& block);

}  // namespace forge
