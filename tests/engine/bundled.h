// The bundled model for tests of the engine: real weights, loaded once per program.
#pragma once

#include <gtest/gtest.h>

#include <utility>

#include "forge/engine/generate.h"
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

inline Generator make_generator(const LoadedModel& loaded, const models::DecoderOptions& options) {
  Result<Generator> generator = Generator::create(loaded, options);
  EXPECT_TRUE(generator.ok()) << generator.error().message;
  return std::move(generator).value();
}

inline models::Decoder make_decoder(const models::Model& model,
                                    const models::DecoderOptions& options) {
  Result<models::Decoder> decoder = models::Decoder::create(model, options);
  EXPECT_TRUE(decoder.ok()) << decoder.error().message;
  return std::move(decoder).value();
}

}  // namespace forge::engine
