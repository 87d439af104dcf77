// Trusts: each request run alone. Whatever else runs, however memory is short, a request's tokens
// and log-probabilities are the same bits.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "forge/generate.h"
#include "tests/engine/bundled.h"
#include "tests/sanitizers.h"

namespace forge::engine {
namespace {

constexpr std::string_view kSharedStart =
    "Once upon a time there was a small house by the sea. In the house lived an old man with his "
    "grey cat. Every day they went to the shore and looked at the ships. ";

struct Answer {
  std::vector<int32_t> ids;
  std::vector<double> logprobs;
  std::string text;
  bool operator==(const Answer&) const = default;
};

/// Requests of different kinds; some share a long beginning.
Request request_number(int i) {
  static const std::vector<std::string> kEnds = {"One day",        "The cat said", "Then it rained",
                                                 "A girl came by", "They found a", "Suddenly"};
  Request request;
  const std::string start = i % 3 == 0 ? std::string() : std::string(kSharedStart);
  request.prompt = bundled_model().tokenize(start + kEnds[static_cast<size_t>(i) % kEnds.size()]);
  request.max_tokens = 10 + (i * 7) % 90;
  request.sampling.temperature = i % 2 == 0 ? 0.0 : 0.9;
  request.sampling.seed = static_cast<uint64_t>(100 + i);
  if (i % 5 == 0) request.sampling.top_p = 0.8;
  if (i % 7 == 0) request.sampling.repetition_penalty = 1.2;
  if (i % 4 == 0) request.n_logprobs = 2;
  request.prompt_logprobs = i % 8 == 0;
  if (i % 6 == 1) request.stop_strings = {"and the"};
  request.ignore_eos = i % 2 == 0;
  return request;
}

void add(Answer& answer, const StreamEvent& event) {
  answer.ids.insert(answer.ids.end(), event.ids.begin(), event.ids.end());
  answer.text += event.text;
  for (const auto* positions : {&event.prompt_logprobs, &event.logprobs}) {
    for (const PositionLogprobs& position : *positions) {
      answer.logprobs.push_back(position.chosen.logprob);
      for (const TokenLogprob& token : position.top) answer.logprobs.push_back(token.logprob);
    }
  }
}

std::vector<Answer> read_all(Stream& stream, int32_t n) {
  std::vector<Answer> answers(static_cast<size_t>(n));
  while (!stream.is_done()) {
    for (const StreamEvent& event : stream.wait()) {
      EXPECT_FALSE(event.error) << event.error->message;
      add(answers[static_cast<size_t>(event.choice)], event);
    }
  }
  return answers;
}

Answer alone(const Request& request) {
  const auto engine = make_engine(bundled_model(), {.n_threads = 1, .prefix_cache = false});
  Result<Stream> stream = engine->submit(request);
  EXPECT_TRUE(stream.ok());
  return read_all(*stream, 1)[0];
}

/// An engine that is always short of something.
EngineOptions cramped(int32_t n_threads) {
  EngineOptions options;
  options.n_threads = n_threads;
  options.context_len = 256;
  options.kv_cache_tokens = 320;  // two or three sequences
  options.max_sequences = 24;
  options.max_step_tokens = 40;
  return options;
}

TEST(EngineLoad, EveryRequestGetsTheBitsItWouldGetAlone) {
  constexpr int kDistinct = 40;
  const int n_requests = kIsSanitized ? 200 : 1000;
  std::vector<Answer> expected;
  for (int i = 0; i < kDistinct; ++i) expected.push_back(alone(request_number(i)));

  const auto engine = make_engine(bundled_model(), cramped(2));
  std::atomic<int> next{0};
  std::atomic<int> n_done{0};
  const auto client = [&](uint32_t seed) {
    std::mt19937 random(seed);
    for (int r = next++; r < n_requests; r = next++) {
      const int i = static_cast<int>(random() % kDistinct);
      Request request = request_number(i);
      request.priority = static_cast<int32_t>(random() % 3);
      request.client = r % 2 == 0 ? "a" : "b";
      request.use_prefix_cache = random() % 4 != 0;
      Result<Stream> stream = engine->submit(std::move(request));
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      if (random() % 8 == 0) {
        // Goes away in the middle; nobody else may notice.
        for (auto waits = random() % 5; waits > 0; --waits) (void)stream->wait();
        continue;
      }
      const std::vector<Answer> answers = read_all(*stream, 1);
      EXPECT_EQ(answers[0], expected[static_cast<size_t>(i)]) << "request " << i;
      ++n_done;
    }
  };
  std::vector<std::thread> clients;
  for (uint32_t c = 0; c < 32; ++c) clients.emplace_back(client, c);
  for (std::thread& thread : clients) thread.join();

  EXPECT_GT(n_done, n_requests * 3 / 4);
  const EngineStats stats = engine->stats();
  EXPECT_GT(stats.preemptions, 0) << "the cache was large enough: nothing was tested";
  EXPECT_GT(stats.cached_tokens, 0);
}

TEST(EngineLoad, AbortsAtAnyMomentGiveEveryBlockBack) {
  const auto engine = make_engine(bundled_model(), cramped(2));
  std::mt19937 random(3);
  for (int round = 0; round < (kIsSanitized ? 20 : 100); ++round) {
    std::vector<Stream> streams;
    for (int r = 0; r < 20; ++r) {
      Request request = request_number(static_cast<int>(random() % 40));
      request.n = 1 + static_cast<int32_t>(random() % 3);
      Result<Stream> stream = engine->submit(std::move(request));
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      streams.push_back(std::move(*stream));
      if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
      if (random() % 3 == 0) streams.erase(streams.begin());
    }
  }
  // An idle engine has published its last numbers before it sleeps.
  for (int i = 0; i < 1000 && engine->stats().running + engine->stats().waiting > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const EngineStats stats = engine->stats();
  EXPECT_EQ(stats.running, 0);
  EXPECT_EQ(stats.waiting, 0);
  EXPECT_EQ(stats.kv_blocks_used, 0);
  EXPECT_GT(stats.requests_cancelled, 100);
}

TEST(EngineLoad, ChoicesAreTheRequestWithTheirOwnSeeds) {
  const auto engine = make_engine(bundled_model(), cramped(1));
  for (const int i : {1, 3, 5}) {  // drawn, not greedy; 5 shares the start with 1
    Request request = request_number(i);
    request.n = 4;
    Result<Stream> stream = engine->submit(request);
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    const std::vector<Answer> answers = read_all(*stream, 4);
    request.n = 1;
    const uint64_t seed = request.sampling.seed;
    for (int32_t choice = 0; choice < 4; ++choice) {
      request.sampling.seed = choice_seed(seed, choice);
      EXPECT_EQ(answers[static_cast<size_t>(choice)], alone(request)) << i << ", " << choice;
    }
    EXPECT_NE(answers[0].ids, answers[1].ids);
  }
}

}  // namespace
}  // namespace forge::engine
