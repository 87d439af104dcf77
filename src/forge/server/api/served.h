// An engine's model as the API knows it, made from the model's own words.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine.h"
#include "forge/server/openai/chat_prompt.h"
#include "forge/server/openai/served_model.h"
#include "forge/server/openai/tokens.h"

namespace forge::server {

struct ServedOptions {
  std::vector<std::string> names;  // it answers to; empty: the model's name
  openai::ApiLimits limits;
  bool is_lenient = false;       // unknown request fields are ignored, not refused
  bool splits_reasoning = true;  // thoughts go to reasoning_content
  Pooling pooling = Pooling::kMean;
};

/// Owns a ServedModel and what that refers to. Read only; any thread.
class Served {
 public:
  /// The engine must outlive it. Fails where the model's chat template does not compile.
  [[nodiscard]] static Result<std::unique_ptr<Served>> create(const Engine& engine,
                                                              ServedOptions options);
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] const openai::ServedModel& model() const { return model_; }

 private:
  Served(const Engine& engine, ServedOptions options, std::optional<openai::ChatPrompt> chat);

  const openai::ModelTokens tokens_;
  const std::optional<openai::ChatPrompt> chat_;  // nothing: the model has no template
  const openai::ServedModel model_;
};

}  // namespace forge::server
