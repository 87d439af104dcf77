// The parts of GGUF metadata that the architectures share. Keys as docs/gguf.md of the ggml project
// and llama.cpp's writer name them, without the "<architecture>." prefix.
#pragma once

#include "forge/formats/checkpoint.h"
#include "forge/models/config_reader.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// Where a family differs from the others.
struct GgufTraits {
  RopeLayout layout = RopeLayout::kHalves;
  bool has_partial_rotary = false;  // rope.dimension_count may be below the head size
};

/// Sizes, norm, rope with its factor tensors, sliding window, tied embeddings (no output.weight);
/// vocab_size is the embedding's row count, since not every file states it.
[[nodiscard]] ModelSpec read_gguf_decoder(ConfigReader& config, const formats::TensorSet& tensors,
                                          const GgufTraits& traits);

/// Whether the first layer has this tensor ("attn_q.bias"); the tensor table then asks it of all.
[[nodiscard]] bool has_layer_tensor(const formats::TensorSet& tensors, std::string_view name);

}  // namespace forge::models
