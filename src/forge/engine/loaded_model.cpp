#include "forge/engine/loaded_model.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "forge/bundled/bundled_model.h"
#include "forge/engine/gguf_vocabulary.h"

namespace forge::engine {
namespace {

struct TokenizerParts {
  text::Tokenizer tokenizer;
  std::vector<int32_t> end_ids;
};

Result<TokenizerParts> tokenizer_of(const formats::GgufFile& file) {
  FORGE_TRY(text::GgufVocabulary vocabulary, read_gguf_vocabulary(file));
  std::vector<int32_t> end_ids = vocabulary.end_of_generation_ids;
  FORGE_TRY(text::Tokenizer tokenizer,
            text::Tokenizer::from_gguf(std::move(vocabulary), file.path()));
  return TokenizerParts{std::move(tokenizer), std::move(end_ids)};
}

Result<std::unique_ptr<models::Model>> load_weights(const ModelSource& source,
                                                    const models::LoadOptions& options) {
  if (source.kind == ModelSource::Kind::kBundled) {
    return models::load_gguf_model(bundled_model(), source.path, options);
  }
  return models::load_model(source.path, options);
}

std::string display_name(const ModelSource& source, const models::ModelSpec& spec) {
  if (source.kind == ModelSource::Kind::kBundled) return spec.model_name;
  if (!source.name.empty()) return source.name;
  const std::filesystem::path path = std::filesystem::path(source.path).lexically_normal();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

}  // namespace

Result<LoadedModel> load_model(const ModelSource& source, const models::LoadOptions& options) {
  FORGE_TRY(std::unique_ptr<models::Model> model, load_weights(source, options));
  Result<TokenizerParts> parts = [&]() -> Result<TokenizerParts> {
    if (model->gguf) return tokenizer_of(*model->gguf);
    FORGE_TRY(text::Tokenizer tokenizer, text::Tokenizer::load_folder(source.path));
    return TokenizerParts{std::move(tokenizer), {}};
  }();
  if (!parts.ok()) return parts.error();

  const models::ModelSpec& spec = model->spec;
  const text::Tokenizer& tokenizer = parts->tokenizer;
  if (tokenizer.vocab_size() > spec.vocab_size) {
    return make_error("{}: the tokenizer has {} tokens, the model only {} embeddings", source.path,
                      tokenizer.vocab_size(), spec.vocab_size);
  }
  std::vector<int32_t> end_ids = std::move(parts->end_ids);
  end_ids.insert(end_ids.end(), spec.eos_ids.begin(), spec.eos_ids.end());
  if (tokenizer.eos_id()) end_ids.push_back(*tokenizer.eos_id());
  std::sort(end_ids.begin(), end_ids.end());
  end_ids.erase(std::unique(end_ids.begin(), end_ids.end()), end_ids.end());

  std::string name = display_name(source, spec);
  return LoadedModel{std::move(name), source.path, std::move(model), std::move(parts->tokenizer),
                     std::move(end_ids)};
}

Result<text::Tokenizer> load_tokenizer(const ModelSource& source) {
  if (source.kind == ModelSource::Kind::kFolder) return text::Tokenizer::load_folder(source.path);
  const bool is_bundled = source.kind == ModelSource::Kind::kBundled;
  FORGE_TRY(const formats::GgufFile file,
            is_bundled ? formats::GgufFile::parse(bundled_model(), source.path)
                       : formats::GgufFile::open(source.path));
  FORGE_TRY(TokenizerParts parts, tokenizer_of(file));
  return std::move(parts.tokenizer);
}

}  // namespace forge::engine
