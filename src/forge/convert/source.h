// What a GGUF file will be made from: a checkpoint's tensors under GGUF's names, and its metadata.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/model_source.h"
#include "forge/formats/gguf_writer.h"
#include "forge/models/model.h"

namespace forge::convert {

/// A tensor as the input has it.
struct SourceTensor {
  std::string name;  // in GGUF
  TensorView view;
  std::string origin;  // file and name in the input, for messages: model.safetensors: tensor "x"
  /// Above 0: the rows (a vector's elements) are those of as many heads of q or k, whose halves
  /// rotate together, and in the output's order neighbours do.
  int32_t n_paired_heads = 0;
};

/// Owns the mappings that the tensors' views point into. Movable.
struct Source {
  std::unique_ptr<models::Model> model;
  /// All metadata but general.file_type and general.quantization_version.
  formats::GgufWriter metadata;
  std::vector<SourceTensor> tensors;            // in the order of the output
  std::vector<std::string> notes;               // what a person should know
  std::deque<std::vector<float>> owned_values;  // rotary factors, which config.json holds
};

/// Opens a folder (config.json, safetensors, tokenizer) or a GGUF file, all of whose tensors must
/// be those of an architecture that Forge runs. Of a GGUF file all metadata is kept as it is, but
/// split.*; of a folder it is made, with names and values as llama.cpp's convert_hf_to_gguf.py
/// has them. Fails where GGUF cannot say what the folder says.
[[nodiscard]] Result<Source> open_source(const engine::ModelSource& source);

}  // namespace forge::convert
