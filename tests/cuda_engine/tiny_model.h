// The tiny checkpoints of tests/models/goldens as models that an engine takes.
#pragma once

#include <string>

#include "forge/model.h"
#include "tests/engine/bundled.h"
#include "tests/models/golden.h"

namespace forge::engine {

/// A golden's weights (vocabulary 192) with the bundled model's tokenizer: texts mean nothing, ids
/// do.
inline Model tiny_model(const std::string& variant) {
  LoadedModel loaded = load_bundled();
  loaded.name = variant;
  loaded.model = models::load_or_die(models::golden_path(variant));
  loaded.end_ids = {3};
  return Model::from(std::move(loaded));
}

}  // namespace forge::engine
