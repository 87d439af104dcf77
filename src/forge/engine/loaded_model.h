// A model ready to be used: weights, tokenizer and what both say about where a text ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/model_source.h"
#include "forge/models/model.h"
#include "forge/text/tokenizer.h"

namespace forge::engine {

/// Immutable after loading: any thread may read.
struct LoadedModel {
  std::string name;  // for people: "forge-stories", the folder's or the file's name
  std::string path;
  std::unique_ptr<models::Model> model;
  text::Tokenizer tokenizer;
  /// Tokens after which the model says no more: those of generation_config.json and config.json,
  /// the tokenizer's EOS, a GGUF file's end of turn and end of message. Ascending, no duplicates.
  std::vector<int32_t> end_ids;

  [[nodiscard]] const models::ModelSpec& spec() const { return model->spec; }
};

/// Loads weights (mapped, not read) and tokenizer. Fails also where the tokenizer has ids that the
/// model has no embedding for.
[[nodiscard]] Result<LoadedModel> load_model(const ModelSource& source,
                                             const models::LoadOptions& options = {});

/// Only the tokenizer: a folder needs no weights and no config.json, a GGUF file no tensors.
[[nodiscard]] Result<text::Tokenizer> load_tokenizer(const ModelSource& source);

}  // namespace forge::engine
