// A vocabulary without training, for models with random weights.
#pragma once

#include "forge/engine/random_model_shape.h"
#include "forge/formats/gguf_writer.h"

namespace forge::engine {

/// Writes the tokenizer.ggml keys of a vocabulary of the shape's size: every byte, then systematic
/// merges of frequent characters, then the special tokens that models of this kind have. Text
/// encodes and decodes in every engine that reads GGUF, though into pieces that mean nothing.
void put_random_vocabulary(const RandomModelShape& shape, formats::GgufWriter& writer);

}  // namespace forge::engine
