// Requests run to their end, and what came of them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "forge/engine.h"

namespace forge::engine {

struct Answer {
  std::vector<int32_t> ids;
  std::vector<double> logprobs;
  FinishReason reason = FinishReason::kFailed;
  std::string error;
  bool operator==(const Answer&) const = default;
};

inline EngineOptions on_cuda() {
  EngineOptions options;
  options.device = "cuda";
  options.n_threads = 1;
  options.context_len = 96;
  return options;
}

inline std::vector<Answer> read_all(Stream& stream, int32_t n) {
  std::vector<Answer> answers(static_cast<size_t>(n));
  while (!stream.is_done()) {
    for (const StreamEvent& event : stream.wait()) {
      Answer& answer = answers[static_cast<size_t>(event.choice)];
      answer.ids.insert(answer.ids.end(), event.ids.begin(), event.ids.end());
      for (const auto* positions : {&event.prompt_logprobs, &event.logprobs}) {
        for (const PositionLogprobs& position : *positions) {
          answer.logprobs.push_back(position.chosen.logprob);
          for (const TokenLogprob& token : position.top) answer.logprobs.push_back(token.logprob);
        }
      }
      if (event.finish_reason) answer.reason = *event.finish_reason;
      if (event.error) answer.error = event.error->message;
    }
  }
  return answers;
}

inline Answer run(Engine& engine, const Request& request) {
  Result<Stream> stream = engine.submit(request);
  EXPECT_TRUE(stream.ok()) << stream.error().message;
  return stream.ok() ? read_all(*stream, 1)[0] : Answer{};
}

}  // namespace forge::engine
