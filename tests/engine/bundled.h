// The bundled model for tests of the engine: real weights, loaded once per program.
#pragma once

#include <gtest/gtest.h>

#include "forge/engine/loaded_model.h"

namespace forge::engine {

/// A fresh copy that a test may break.
inline LoadedModel load_bundled() {
  Result<ModelSource> source = resolve_model("");
  Result<LoadedModel> loaded = load_model(*source);
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return std::move(loaded).value();
}

inline const LoadedModel& bundled() {
  static const LoadedModel loaded = load_bundled();
  return loaded;
}

}  // namespace forge::engine
