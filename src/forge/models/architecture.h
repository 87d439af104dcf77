// The architectures Forge runs: how each is named in files and how its config is read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/formats/checkpoint.h"
#include "forge/models/config_reader.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// One decoder family. Each lives in a file of its own name (llama.cpp, ...) and is listed in
/// architecture.cpp. A reader fills the whole spec but model_name and the token ids, and reports
/// what it refuses through the ConfigReader; the loader calls finish() and check_spec() afterwards.
struct Architecture {
  std::string_view name;           // ModelSpec::architecture
  std::string_view hf_class;       // config.json: architectures[0]
  std::string_view hf_model_type;  // config.json: model_type
  std::string_view gguf_name;  // general.architecture; empty where GGUF files use another's name
  ModelSpec (*read_hf)(ConfigReader& config);
  /// The tensors are there because GGUF says some things by their presence only: biases, a head of
  /// its own, rope factors.
  ModelSpec (*read_gguf)(ConfigReader& config, const formats::TensorSet& tensors);
};

extern const Architecture kLlama;
extern const Architecture kQwen2;
extern const Architecture kQwen3;
extern const Architecture kMistral;
extern const Architecture kPhi3;

/// All of them, in the order error messages list them.
[[nodiscard]] std::span<const Architecture* const> all_architectures();

/// nullptr where Forge has none of this name.
[[nodiscard]] const Architecture* find_hf_architecture(std::string_view hf_class);
[[nodiscard]] const Architecture* find_hf_model_type(std::string_view model_type);
[[nodiscard]] const Architecture* find_gguf_architecture(std::string_view gguf_name);

/// "LlamaForCausalLM, Qwen2ForCausalLM, ..." and "llama, qwen2, ..." for errors and help.
[[nodiscard]] std::string hf_class_names();
[[nodiscard]] std::string gguf_names();

/// What must hold between the numbers of a spec whatever file it came from; the decoder and the
/// tensor table rely on it.
[[nodiscard]] Status check_spec(const ModelSpec& spec);

}  // namespace forge::models
