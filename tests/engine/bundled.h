// The bundled model for tests of the engine: real weights, loaded once per program.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "forge/engine.h"
#include "forge/engine/loaded_model.h"
#include "forge/models/decoder.h"

namespace forge::engine {

/// A fresh copy that a test may break.
inline LoadedModel load_bundled() {
  Result<ModelSource> source = resolve_model("");
  Result<LoadedModel> loaded = load_model(*source);
  EXPECT_TRUE(loaded.ok()) << loaded.error().message;
  return std::move(loaded).value();
}

inline const Model& bundled_model() {
  static const Model model = Model::from(load_bundled());
  return model;
}

inline const LoadedModel& bundled() { return bundled_model().loaded(); }

inline std::unique_ptr<Engine> make_engine(const Model& model, const EngineOptions& options) {
  Result<std::unique_ptr<Engine>> engine = Engine::create(model, options);
  EXPECT_TRUE(engine.ok()) << engine.error().message;
  return std::move(engine).value();
}

inline models::Decoder make_decoder(const models::Model& model,
                                    const models::DecoderOptions& options) {
  Result<models::Decoder> decoder = models::Decoder::create(model, options);
  EXPECT_TRUE(decoder.ok()) << decoder.error().message;
  return std::move(decoder).value();
}

}  // namespace forge::engine
