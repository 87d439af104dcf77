// Trusts: operator new, which counts what a step asks for; the rules of include/forge/request.h.
#include "forge/engine/loop/engine_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "forge/tensor/paged_batch.h"
#include "tests/allocation_meter.h"
#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

constexpr int32_t kSequences = 8;

EngineCore make_core() {
  models::DecoderOptions decoder;
  decoder.n_cache_blocks = 256;
  decoder.max_batch_tokens = 64;
  decoder.max_logit_rows = 64;
  CoreOptions options;
  options.scheduler = {.max_sequences = kSequences, .max_step_tokens = 64, .max_logit_rows = 64};
  options.blocks.n_blocks = decoder.n_cache_blocks;
  return EngineCore(bundled(), make_decoder(*bundled().model, decoder), options);
}

std::shared_ptr<LiveRequest> make_live(Request request) {
  const RequestLimits limits{.vocab_size = bundled().spec().vocab_size,
                             .hidden_dim = bundled().spec().hidden_dim,
                             .context_len = bundled().spec().context_len,
                             .max_sequences = kSequences,
                             .end_ids = bundled().end_ids};
  auto live = make_live_request(std::move(request), limits, {});
  EXPECT_TRUE(live.ok());
  return std::move(live).value();
}

std::shared_ptr<LiveRequest> request_number(
    int i, std::optional<std::chrono::milliseconds> queue_timeout = {}) {
  Request request;
  request.prompt = bundled_model().tokenize("Once upon a time there was a");
  request.ignore_eos = true;
  request.queue_timeout = queue_timeout;
  request.sampling.temperature = i % 2 == 0 ? 0.0 : 0.8;
  request.sampling.seed = static_cast<uint64_t>(i);
  return make_live(std::move(request));
}

TEST(EngineCore, ASteadyStepAllocatesNothing) {
  if (!AllocationMeter::kCounts) GTEST_SKIP() << "ThreadSanitizer has an operator new of its own";
  EngineCore core = make_core();
  std::vector<std::shared_ptr<LiveRequest>> requests;
  for (int i = 0; i < kSequences; ++i) {
    requests.push_back(request_number(i));
    core.add(requests.back(), TimePoint());
  }
  std::vector<News> news(kSequences);
  const auto read = [&] {
    size_t n = 0;
    for (size_t i = 0; i < requests.size(); ++i) {
      requests[i]->news.take(news[i]);
      n += news[i].tokens.size();
    }
    return n;
  };
  // Prompts, and scratch memory that grows to its size once.
  for (int step = 0; step < 20; ++step) {
    ASSERT_TRUE(core.step());
    (void)read();
  }
  for (int step = 0; step < 300; ++step) {
    size_t largest = 0;
    {
      const AllocationMeter meter;
      ASSERT_TRUE(core.step());
      largest = meter.largest();
    }
    ASSERT_EQ(largest, 0u) << "step " << step;
    ASSERT_EQ(read(), size_t{kSequences});
  }
  core.cancel_all();
  EXPECT_EQ(core.stats().kv_blocks_used, 0);
}

TEST(EngineCore, WhoWaitsTooLongIsTold) {
  using std::chrono::milliseconds;
  EngineCore core = make_core();
  for (int i = 0; i < kSequences; ++i) core.add(request_number(i), TimePoint());
  ASSERT_TRUE(core.step());  // every place is taken
  const TimePoint now = std::chrono::steady_clock::now();
  const auto late = request_number(0, milliseconds(1));
  const auto patient = request_number(0, milliseconds(3'600'000));
  core.add(late, now - milliseconds(2));
  core.add(patient, now);
  ASSERT_TRUE(core.step());
  News news;
  EXPECT_FALSE(patient->news.take(news));
  ASSERT_TRUE(late->news.take(news));
  ASSERT_EQ(news.ends.size(), 1u);
  EXPECT_EQ(news.ends[0].reason, FinishReason::kTimeout);
  ASSERT_TRUE(news.ends[0].error);
  EXPECT_EQ(news.ends[0].error->kind, ErrorKind::kUnavailable);
  EXPECT_EQ(core.stats().requests_timed_out, 1);
}

// A deadline's weak pointer kept the memory of its request for as long as the time ran, an hour for
// an answer of a second.
TEST(EngineCore, AFinishedRequestLeavesNothingUntilItsDeadline) {
  if (!AllocationMeter::kCounts) GTEST_SKIP() << "ThreadSanitizer has an operator new of its own";
  EngineCore core = make_core();
  Request request;
  request.prompt.assign(20, 7);
  request.timeout = std::chrono::hours(1);
  const auto serve = [&](int32_t max_tokens) {
    request.max_tokens = max_tokens;
    core.add(make_live(request), std::chrono::steady_clock::now());
    while (core.step()) {
    }
  };
  for (int i = 0; i < 3; ++i) serve(3);
  int64_t n_kept = 0;
  {
    const AllocationMeter meter;
    for (int i = 0; i < 30; ++i) serve(i % 4);
    n_kept = meter.n_kept();
  }
  EXPECT_EQ(n_kept, 0);
}

TEST(EngineCore, DeadlinesEndRequestsInTheirOrder) {
  EngineCore core = make_core();
  const TimePoint now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<LiveRequest>> requests;
  for (const int minutes : {50, -3, 40, -1, 60, -2}) {
    Request request;
    request.prompt.assign(20, 7);
    request.timeout = std::chrono::minutes(60);
    requests.push_back(make_live(std::move(request)));
    core.add(requests.back(), now + std::chrono::minutes(minutes - 60));
  }
  core.cancel(*requests[2], FinishReason::kCancelled);
  ASSERT_TRUE(core.step());
  EXPECT_EQ(core.stats().requests_timed_out, 3);
  for (const size_t i : {1, 3, 5}) {
    News news;
    ASSERT_TRUE(requests[i]->news.take(news));
    EXPECT_EQ(news.ends[0].reason, FinishReason::kTimeout);
    EXPECT_TRUE(news.tokens.empty());
  }
  EXPECT_EQ(core.stats().running, 2);
}

TEST(EngineCore, OnlyTheFirstChoiceHasThePromptBeforeTheyFork) {
  Request request;
  request.prompt.assign(150, 7);
  request.ignore_eos = true;
  request.n = 3;
  const std::vector<int32_t> prompt = request.prompt;
  EngineCore core = make_core();
  const auto live = make_live(std::move(request));
  core.add(live, TimePoint());
  const auto has_prompt = [&](size_t choice) {
    const std::vector<int32_t>& tokens = live->choices[choice]->tokens;
    return tokens.size() >= prompt.size() &&
           std::equal(prompt.begin(), prompt.end(), tokens.begin());
  };
  const int32_t* const memory = live->choices[2]->tokens.data();
  EXPECT_TRUE(has_prompt(0));
  EXPECT_TRUE(live->choices[2]->tokens.empty());
  News news;
  while (!live->news.take(news)) ASSERT_TRUE(core.step());
  EXPECT_TRUE(has_prompt(0) && has_prompt(1) && has_prompt(2));
  EXPECT_EQ(live->choices[2]->tokens.data(), memory) << "memory is for the submitting thread";
}

TEST(EngineCore, PromptLogprobsComeOnceAndWholeBeforeAnyTokenOrEnd) {
  Request request;
  request.prompt.assign(150, 7);  // three steps
  request.n_logprobs = 1;
  request.prompt_logprobs = true;
  request.n = 3;
  for (const int32_t max_tokens : {0, 2}) {
    request.max_tokens = max_tokens;
    EngineCore core = make_core();
    const auto live = make_live(request);
    core.add(live, TimePoint());
    News news;
    while (!live->news.take(news)) ASSERT_TRUE(core.step());
    ASSERT_EQ(news.prompt_logprobs.size(), 149u);
    for (const PositionLogprobs& position : news.prompt_logprobs) {
      EXPECT_EQ(position.chosen.id, 7);
      EXPECT_EQ(position.top.size(), 1u);
    }
    EXPECT_EQ(news.tokens.size(), max_tokens > 0 ? 3u : 0u);
    EXPECT_EQ(news.ends.size(), max_tokens > 0 ? 0u : 3u);
    while (core.step()) {
    }
    EXPECT_EQ(live->news.take(news), max_tokens > 0);
    EXPECT_TRUE(news.prompt_logprobs.empty());
  }
}

}  // namespace
}  // namespace forge::engine
