// A request inside the engine: its choices as sequences, and the way back to its reader.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forge/engine/loop/news_queue.h"
#include "forge/engine/penalties.h"
#include "forge/engine/sampler.h"
#include "forge/engine/scheduler/lazy_min_heap.h"
#include "forge/engine/scheduler/scheduled_sequence.h"
#include "forge/request.h"

namespace forge::engine {

struct LiveRequest;

/// One text of a request. The first one has the prompt; the others get it as they fork.
struct LiveChoice : ScheduledSequence {
  explicit LiveChoice(SamplingParams params) : sampler(std::move(params)) {}

  LiveRequest* request = nullptr;
  int32_t index = 0;
  Sampler sampler;
  TokenHistory history;  // kept only where penalties read it
  int32_t slot = -1;     // where the device keeps its last token; -1: nowhere
  bool has_ended = false;

  [[nodiscard]] int32_t n_generated() const {
    return static_cast<int32_t>(tokens.size()) - n_prompt;
  }
};

/// Made by the thread that submits, with all the memory that its steps will use; then the engine's
/// thread changes it, except for the news, which are for both sides.
struct LiveRequest {
  LiveRequest(Request what, std::function<void()> on_news);

  Request request;  // its prompt has moved into the first choice
  std::vector<std::unique_ptr<LiveChoice>> choices;
  NewsQueue news;

  // The engine's thread.
  std::vector<int32_t> stop_ids;      // ascending: those that end a choice for the request
  std::vector<int32_t> excluded_ids;  // that may not be chosen before min_tokens
  int32_t n_unfinished = 0;           // choices
  bool is_live = false;               // between add() and the end of the last choice
  bool has_started = false;
  bool is_chosen_on_device = false;
  std::vector<PositionLogprobs>
      prompt_logprobs;         // of all tokens but the first, until they are read
  bool has_bad_score = false;  // a log-probability of the prompt is not a number
  std::vector<double> pooled;  // embedding: sum of hidden states, or the last one
  int32_t n_pooled = 0;        // prompt tokens in it
  size_t place = 0;            // in the engine's list
  TimePoint deadline;          // of a request with a timeout
  HeapPlace<TimePoint> heap_place;

  [[nodiscard]] TimePoint heap_key() const { return deadline; }
};

/// What a request may ask of this model and engine.
struct RequestLimits {
  int32_t vocab_size = 0;
  int32_t hidden_dim = 0;
  int32_t context_len = 0;
  int32_t max_sequences = 0;
  std::vector<int32_t> end_ids;
};

/// Checks a request against the limits and makes what the engine needs for it. Runs in the
/// submitting thread.
[[nodiscard]] Result<std::shared_ptr<LiveRequest>> make_live_request(Request request,
                                                                     const RequestLimits& limits,
                                                                     std::function<void()> on_news);

}  // namespace forge::engine
