#include "forge/convert/source.h"

#include <utility>

#include "forge/bundled/bundled_model.h"
#include "forge/convert/vocabulary_keys.h"
#include "forge/engine/loaded_model.h"
#include "forge/formats/quote.h"
#include "forge/models/gguf_config_writer.h"
#include "forge/models/tensor_table.h"

namespace forge::convert {
namespace {

constexpr auto kHf = models::CheckpointFormat::kHuggingFace;
constexpr auto kGguf = models::CheckpointFormat::kGguf;

std::string origin_of(const formats::NamedTensor& tensor) {
  return fmt::format("{}: tensor {}", tensor.file, formats::quote(tensor.name));
}

Source from_gguf(std::unique_ptr<models::Model> model) {
  Source source;
  source.model = std::move(model);
  for (const auto& [key, value] : source.model->gguf->metadata()) {
    // The alignment is that of the file's own layout; what is written has the format's default.
    const bool is_ours = key == "general.file_type" || key == "general.quantization_version" ||
                         key == "general.alignment";
    if (!is_ours && !key.starts_with("split.")) source.metadata.put_value(key, value);
  }
  for (const formats::NamedTensor& tensor : source.model->tensor_set().tensors()) {
    source.tensors.push_back({tensor.name, tensor.view, origin_of(tensor)});
  }
  return source;
}

void add(Source& source, const std::string& hf_name, std::string gguf_name,
         int32_t n_paired_heads) {
  // The loader has found every tensor that the table asks for.
  const formats::NamedTensor& tensor = *source.model->tensor_set().find(hf_name);
  source.tensors.push_back({std::move(gguf_name), tensor.view, origin_of(tensor), n_paired_heads});
}

// In the order of converted files: the embedding, the layers, the rest.
void add_tensors(Source& source) {
  const models::ModelSpec& spec = source.model->spec;
  const bool has_pairs = models::gguf_rotates_pairs(spec);
  const auto paired_heads = [&](std::string_view role) {
    if (!has_pairs) return 0;
    if (role == "attn_q" || role == "attn_q_bias") return spec.n_heads;
    return role == "attn_k" || role == "attn_k_bias" ? spec.n_kv_heads : 0;
  };
  const auto model_tensors = models::model_tensors();
  const auto add_model_tensor = [&](const models::ModelTensor& tensor) {
    if (!tensor.is_present(spec)) return;
    add(source, std::string(tensor.name(kHf)), std::string(tensor.name(kGguf)), 0);
  };
  add_model_tensor(model_tensors[0]);
  for (int32_t layer = 0; layer < spec.n_layers; ++layer) {
    for (const models::LayerTensor& tensor : models::layer_tensors()) {
      if (!tensor.is_present(spec)) continue;
      add(source, tensor.name(kHf, layer), tensor.name(kGguf, layer), paired_heads(tensor.role));
    }
  }
  for (const models::ModelTensor& tensor : model_tensors.subspan(1)) add_model_tensor(tensor);
}

Result<Source> from_folder(engine::LoadedModel loaded) {
  Source source;
  source.model = std::move(loaded.model);
  const models::ModelSpec& spec = source.model->spec;
  source.metadata.put_string("general.type", "model");
  source.metadata.put_string("general.name", spec.model_name);
  FORGE_TRY(auto factors, models::put_gguf_config(spec, loaded.path, source.metadata));
  FORGE_TRY(source.notes, put_vocabulary_keys(loaded.path, spec, loaded.end_ids, source.metadata));
  add_tensors(source);
  for (models::RopeFactors& factor : factors) {
    const std::vector<float>& values = source.owned_values.emplace_back(std::move(factor.values));
    const TensorView view{DType::kF32, Shape{static_cast<int64_t>(values.size())},
                          std::as_bytes(std::span(values)).data()};
    source.tensors.push_back({factor.name, view, loaded.path + ": rotary factors"});
  }
  return source;
}

}  // namespace

Result<Source> open_source(const engine::ModelSource& source) {
  if (source.kind == engine::ModelSource::Kind::kFolder) {
    FORGE_TRY(engine::LoadedModel loaded, engine::load_model(source));
    return from_folder(std::move(loaded));
  }
  const bool is_bundled = source.kind == engine::ModelSource::Kind::kBundled;
  FORGE_TRY(auto model, is_bundled ? models::load_gguf_model(bundled_model(), source.path)
                                   : models::load_model(source.path));
  return from_gguf(std::move(model));
}

}  // namespace forge::convert
