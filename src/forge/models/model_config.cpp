#include "forge/models/model_config.h"

#include "forge/formats/quote.h"
#include "forge/models/architecture.h"
#include "forge/models/config_reader.h"

namespace forge::models {
namespace {

Result<const Architecture*> choose_hf(ConfigReader& config, const std::string& origin) {
  const auto classes = config.optional_strings("architectures");
  const auto model_type = config.optional_string("model_type");
  if (classes.size() > 1) {
    return make_error("{}: key \"architectures\": {} entries, expected one", origin,
                      classes.size());
  }
  if (classes.empty() && !model_type) {
    return make_error("{}: neither \"architectures\" nor \"model_type\" says what model this is",
                      origin);
  }
  if (classes.empty()) {
    const Architecture* found = find_hf_model_type(*model_type);
    if (found != nullptr) return found;
    return make_error("{}: key \"model_type\" = {}: Forge runs {}", origin,
                      formats::quote(*model_type), hf_class_names());
  }
  const Architecture* found = find_hf_architecture(classes[0]);
  if (found == nullptr) {
    return make_error("{}: key \"architectures\" = {}: Forge runs {}", origin,
                      formats::quote(classes[0]), hf_class_names());
  }
  if (model_type && *model_type != found->hf_model_type) {
    return make_error("{}: key \"model_type\" = {}: \"architectures\" says {}, expected \"{}\"",
                      origin, formats::quote(*model_type), classes[0], found->hf_model_type);
  }
  return found;
}

Result<ModelSpec> finish(ConfigReader& config, ModelSpec spec, const Architecture& architecture,
                         const std::string& origin, const LoadOptions& options) {
  FORGE_TRY_STATUS(config.finish(options.allow_unknown_keys, spec.notes));
  if (const Status status = check_spec(spec); !status.ok()) {
    return make_error("{}: {}", origin, status.error().message);
  }
  spec.architecture = architecture.name;
  return spec;
}

}  // namespace

Result<ModelSpec> read_hf_spec(const json::Value& config, const std::string& origin,
                               const LoadOptions& options) {
  FORGE_TRY(auto tree, config_from_json(config, origin));
  ConfigReader reader(std::move(tree), origin);
  FORGE_TRY(const Architecture* architecture, choose_hf(reader, origin));
  return finish(reader, architecture->read_hf(reader), *architecture, origin, options);
}

Result<ModelSpec> read_gguf_spec(const formats::GgufFile& file, const LoadOptions& options) {
  const formats::GgufValue* type = file.find("general.type");
  if (type != nullptr && type->as_string() != "model") {
    return make_error("{}: key \"general.type\" = {}: expected a model", file.path(),
                      type->to_string());
  }
  const formats::GgufValue* named = file.find("general.architecture");
  const auto name = named == nullptr ? std::nullopt : named->as_string();
  if (!name) {
    return make_error("{}: key \"general.architecture\": required and missing", file.path());
  }
  const Architecture* architecture = find_gguf_architecture(*name);
  if (architecture == nullptr) {
    return make_error("{}: key \"general.architecture\" = {}: Forge runs {}", file.path(),
                      formats::quote(*name), gguf_names());
  }
  ConfigReader reader(config_from_gguf(file, *name), file.path(), fmt::format("{}.", *name));
  return finish(reader, architecture->read_gguf(reader, file.tensors()), *architecture, file.path(),
                options);
}

}  // namespace forge::models
