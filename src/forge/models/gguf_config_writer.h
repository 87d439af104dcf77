// A decoder's sizes and rotary embedding as GGUF metadata: what gguf_config.h reads, written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/gguf_writer.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// general.architecture of a spec: mistral's files say llama.
[[nodiscard]] std::string_view gguf_architecture(const ModelSpec& spec);

/// Where GGUF holds q and k with rows in the order that rotates neighbours (llama, mistral), so
/// that rows of a Hugging Face checkpoint have to be permuted.
[[nodiscard]] bool gguf_rotates_pairs(const ModelSpec& spec);

/// A small F32 tensor beside the weights.
struct RopeFactors {
  std::string name;
  std::vector<float> values;
};

/// Puts general.architecture and the "<architecture>." keys, and returns llama3's and longrope's
/// factor tensors. Keys and formulas as llama.cpp's convert_hf_to_gguf.py has them; a sliding
/// window is written for mistral too, where that drops it. Fails on what GGUF cannot say (another
/// activation than SiLU, layers with and without a window, yarn with factors of its own), since a
/// file without it would be another model. origin: the checkpoint, for errors.
[[nodiscard]] Result<std::vector<RopeFactors>> put_gguf_config(const ModelSpec& spec,
                                                               const std::string& origin,
                                                               formats::GgufWriter& writer);

}  // namespace forge::models
