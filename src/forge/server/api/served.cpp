#include "forge/server/api/served.h"

#include <algorithm>
#include <utility>

namespace forge::server {
namespace {

std::string spelling(const Model& model, std::optional<int32_t> id) {
  return id ? model.token_bytes(*id) : std::string();
}

std::vector<std::string> names_of(std::vector<std::string> names, const Model& model) {
  if (!names.empty()) return names;
  if (model.info().path == "bundled model") return {"forge-stories"};
  return {model.info().name};
}

// No request may have more choices than run at once.
openai::ApiLimits limits_of(openai::ApiLimits limits, const EngineInfo& info) {
  limits.max_n = std::min(limits.max_n, info.max_sequences);
  return limits;
}

}  // namespace

Served::Served(const Engine& engine, ServedOptions options, std::optional<openai::ChatPrompt> chat)
    : tokens_(engine.model()),
      chat_(std::move(chat)),
      model_{.tokens = tokens_,
             .chat = chat_ ? &*chat_ : nullptr,
             .names = names_of(std::move(options.names), engine.model()),
             .context_len = engine.info().context_len,
             .hidden_dim = engine.model().info().hidden_dim,
             .pooling = options.pooling,
             .system_fingerprint = engine.info().fingerprint,
             .limits = limits_of(options.limits, engine.info()),
             .is_lenient = options.is_lenient,
             .splits_reasoning = options.splits_reasoning} {}

Result<std::unique_ptr<Served>> Served::create(const Engine& engine, ServedOptions options) {
  const ModelInfo& info = engine.model().info();
  std::optional<openai::ChatPrompt> chat;
  if (info.chat_template) {
    FORGE_TRY(chat, openai::ChatPrompt::create(*info.chat_template, info.path + ": chat template",
                                               spelling(engine.model(), info.bos_id),
                                               spelling(engine.model(), info.eos_id)));
  }
  return std::unique_ptr<Served>(new Served(engine, std::move(options), std::move(chat)));
}

}  // namespace forge::server
