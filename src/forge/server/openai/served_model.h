// The model behind the API, and what the API allows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "forge/request.h"
#include "forge/server/openai/chat_prompt.h"
#include "forge/server/openai/tokens.h"

namespace forge::server::openai {

/// Bounds on one call. Going over one is a 400 that names the field and the bound.
struct ApiLimits {
  int32_t max_n = 128;                  // choices per prompt, best_of included
  int32_t max_prompts = 2048;           // prompts or embedding inputs of one call
  int32_t max_sequences = 4096;         // prompts times choices
  size_t max_prompt_bytes = 16u << 20;  // text of all prompts, and a rendered conversation
  int32_t max_messages = 8192;
  int32_t max_stop_strings = 16;
  size_t max_stop_bytes = 1024;  // of one stop string
  int32_t max_stop_ids = 256;
  int32_t max_logit_bias = 1024;
  /// What the engine holds at once: prompts that wait and choices that run. A call that enters it
  /// whole would be refused for ever beyond them; without bound where calls enter part by part.
  int64_t max_waiting = kNoBound;
  int64_t max_running = kNoBound;

  /// Prompts of a call with so many choices each.
  [[nodiscard]] int64_t prompts_of(int32_t n_choices) const {
    return std::min<int64_t>(max_prompts, max_waiting + max_running / n_choices);
  }

 private:
  static constexpr int64_t kNoBound = std::numeric_limits<int32_t>::max();
};

/// What all calls share; must outlive them. Read only.
struct ServedModel {
  const Tokens& tokens;
  const ChatPrompt* chat = nullptr;  // nullptr: the model has no chat template
  std::vector<std::string> names;    // it answers to each; the first is the one it gives
  int32_t context_len = 0;           // tokens
  int32_t hidden_dim = 0;            // length of an embedding
  Pooling pooling = Pooling::kMean;  // of embeddings that ask for none
  std::string system_fingerprint;
  ApiLimits limits = {};
  bool is_lenient = false;       // unknown fields are ignored and listed, not refused
  bool splits_reasoning = true;  // thoughts go to reasoning_content
};

/// What the server knows of one call before it reads the body.
struct CallInfo {
  std::string id;           // unique; ids of answers are this with OpenAI's prefix
  int64_t created = 0;      // seconds since 1970
  uint64_t fresh_seed = 0;  // for a request that names none
  std::string client;       // Request::client
};

}  // namespace forge::server::openai
