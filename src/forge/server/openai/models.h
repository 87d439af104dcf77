// GET /v1/models and /v1/models/{id}.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace forge::server::openai {

/// One model as clients see it.
struct ModelEntry {
  std::string id;
  int64_t created = 0;        // seconds since 1970
  int32_t max_model_len = 0;  // tokens
  bool is_ready = false;      // it answers requests now
};

/// {"object": "list", "data": [...]}
[[nodiscard]] std::string model_list_json(std::span<const ModelEntry> models);
/// One entry: OpenAI's fields, with "ready" and vLLM's "max_model_len".
[[nodiscard]] std::string model_json(const ModelEntry& model);

}  // namespace forge::server::openai
