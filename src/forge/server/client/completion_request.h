// The request that a measurement sends, in the words of OpenAI's API.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forge/server/client/prompts.h"

namespace forge::server::client {

enum class Route { kCompletions, kChat };

/// "/completions" or "/chat/completions".
[[nodiscard]] std::string_view path(Route route);

/// Fields beyond the plain API that a server may refuse.
struct Extensions {
  bool ignore_eos = true;     // generate all that is asked for, whatever the model says
  bool include_usage = true;  // count the tokens at the end of the stream
};

struct CompletionRequest {
  Route route = Route::kCompletions;
  std::string model;
  int64_t n_output = 128;  // most tokens
  Extensions extensions = {};

  /// The JSON body: streamed and greedy. A prompt of ids is for kCompletions only.
  [[nodiscard]] std::string body(const Prompt& prompt) const;
};

}  // namespace forge::server::client
