// What a client asks of an Engine, and what it gets back piece by piece.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/result.h"
#include "forge/sampling.h"

namespace forge {

/// How the hidden states (after the final norm) of a prompt become one vector.
enum class Pooling { kMean, kLast };

/// One prompt and what to do with it. The tokens of a request are the same whatever else runs, on
/// any schedule: a pure function of prompt, sampling (seed included) and model.
struct Request {
  std::vector<int32_t> prompt = {};  // at least one token of the model's vocabulary

  SamplingParams sampling;
  /// Texts to generate, each a sequence of its own that shares the prompt's memory. Choice 0 uses
  /// sampling.seed, choice i one derived from it (choice_seed).
  int32_t n = 1;
  /// Most tokens of each choice; nothing: as many as the context has room for.
  std::optional<int32_t> max_tokens = {};
  int32_t min_tokens = 0;    // until then no end token, stop token or stop string ends a choice
  bool ignore_eos = false;   // the model's end tokens are tokens like any other
  bool skip_special = true;  // special tokens leave no text
  std::vector<int32_t> stop_ids = {};
  std::vector<std::string> stop_strings = {};  // not part of the text, nor is what follows
  std::optional<int32_t> n_logprobs = {};  // log-probabilities of each token, with this many others
  bool prompt_logprobs = false;            // of the prompt's tokens too; needs n_logprobs
  std::optional<Pooling> embedding = {};   // no text at all: the prompt's vector

  int32_t priority = 0;         // lower first; among equals clients share fairly
  std::string client = {};      // whose share it counts to; may be empty
  std::string cache_salt = {};  // prefixes are shared only among requests with the same salt
  bool use_prefix_cache = true;

  /// Limits on waiting for the first step, and on everything; nothing: none.
  std::optional<std::chrono::milliseconds> queue_timeout = {};
  std::optional<std::chrono::milliseconds> timeout = {};
};

/// The seed of choice i of a request: the seed itself for i = 0.
[[nodiscard]] uint64_t choice_seed(uint64_t seed, int32_t choice);

enum class FinishReason {
  kEndToken,     // one of the model's end tokens
  kStopToken,    // one of the request's
  kStopString,   // one of the request's
  kMaxTokens,    //
  kContextFull,  // prompt and text fill the context
  kCancelled,    // by the caller
  kTimeout,      // Request::timeout
  kFailed,       // see StreamEvent::error
};

/// "end of text", "stop string", ...: for people.
[[nodiscard]] std::string_view describe(FinishReason reason);
/// The OpenAI API's "stop" or "length"; for what that API has no word for "cancelled", "timeout"
/// and "error".
[[nodiscard]] std::string_view finish_word(FinishReason reason);

struct TokenLogprob {
  int32_t id = 0;
  double logprob = 0.0;  // natural logarithm
};

/// What the model thought of one token.
struct PositionLogprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top = {};  // most probable first, the lower id first among equals
};

/// News of one choice. Text comes as it becomes certain, so it may lag behind the tokens: bytes of
/// an unfinished character and what may become a stop string are held back.
struct StreamEvent {
  int32_t choice = 0;
  std::vector<int32_t> ids = {};  // every token chosen, the one that ended it included
  std::vector<PositionLogprobs> logprobs = {};  // one per id, where asked for
  std::string text = {};
  std::optional<FinishReason> finish_reason = {};  // the choice's last event
  std::string stop_string = {};                    // the one that was found (kStopString)
  std::optional<Error> error = {};                 // with kFailed
  /// Of the request's first event, where asked for: one entry per prompt token but the first.
  std::vector<PositionLogprobs> prompt_logprobs = {};
  std::vector<float> embedding = {};  // Request::embedding: (hidden_dim), not normalised
};

/// What a request has cost so far.
struct Usage {
  int32_t prompt_tokens = 0;
  int32_t cached_tokens = 0;     // of the prompt, taken from the prefix cache
  int32_t generated_tokens = 0;  // of all choices, up to what ended each
  int32_t preemptions = 0;       // times a choice lost its memory and was computed anew
};

/// When things happened to a request, on the steady clock; zero where they have not.
struct RequestTimes {
  using TimePoint = std::chrono::steady_clock::time_point;
  TimePoint submitted;
  TimePoint started;      // its first step began
  TimePoint first_token;  // of any choice
  TimePoint last_token;
};

}  // namespace forge
