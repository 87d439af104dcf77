// Trusts: each request run alone; the rules of include/forge/request.h.
//
// The engine on a device that chooses tokens itself, one step ahead of the host.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "forge/engine.h"
#include "tests/cuda_engine/answers.h"
#include "tests/cuda_engine/tiny_model.h"
#include "tests/sanitizers.h"
#include "tests/simt/fake_cuda.h"

namespace forge::engine {
namespace {

/// Requests of different kinds; some share a beginning, some are chosen on the host.
Request request_number(int i) {
  Request request;
  for (int t = 0; t < 5 + i * 11 % 40; ++t) {
    request.prompt.push_back(4 + (t < 20 ? t * 7 : t * 5 + i) % 180);
  }
  request.max_tokens = 1 + i * 17 % 48;
  request.sampling.temperature = i % 2 == 0 ? 0.0 : 0.9;
  request.sampling.seed = static_cast<uint64_t>(100 + i);
  if (i % 5 == 0) request.sampling.top_p = 0.8;
  if (i % 5 == 1) request.sampling.top_k = 5;
  if (i % 7 == 0) request.sampling.repetition_penalty = 1.2;
  if (i % 9 == 4) request.sampling.typical_p = 0.9;
  if (i % 4 == 0) request.n_logprobs = 2;
  if (i % 6 == 2) request.sampling.logit_bias = {{17, 4.0f}, {90, -3.0f}};
  if (i % 6 == 5) request.min_tokens = *request.max_tokens / 2;
  request.prompt_logprobs = i % 8 == 0;
  request.ignore_eos = i % 2 == 0;
  return request;
}

TEST(CudaEngine, EveryRequestGetsTheBitsItWouldGetAlone) {
  fake_cuda::set({});
  constexpr int kDistinct = 16;
  const int n_requests = kIsSanitized ? 24 : 60;
  for (const std::string variant : {"llama", "mistral"}) {
    const Model model = tiny_model(variant);
    std::vector<Answer> expected;
    EngineOptions without_prefixes = on_cuda();
    without_prefixes.prefix_cache = false;
    const auto alone = make_engine(model, without_prefixes);
    for (int i = 0; i < kDistinct; ++i) {
      expected.push_back(run(*alone, request_number(i)));
      EXPECT_EQ(expected.back().error, "");
    }
    EngineOptions cramped = on_cuda();
    cramped.kv_cache_tokens = 112;
    cramped.max_sequences = 8;
    cramped.max_step_tokens = 24;
    const auto engine = make_engine(model, cramped);
    std::atomic<int> next{0};
    const auto client = [&](uint32_t seed) {
      std::mt19937 random(seed);
      for (int r = next++; r < n_requests; r = next++) {
        const int i = static_cast<int>(random() % kDistinct);
        Request request = request_number(i);
        request.priority = static_cast<int32_t>(random() % 3);
        request.use_prefix_cache = random() % 4 != 0;
        Result<Stream> stream = engine->submit(std::move(request));
        ASSERT_TRUE(stream.ok()) << stream.error().message;
        if (random() % 8 == 0) {
          for (auto waits = random() % 3; waits > 0; --waits) (void)stream->wait();
          continue;
        }
        EXPECT_EQ(read_all(*stream, 1)[0], expected[static_cast<size_t>(i)]) << "request " << i;
      }
    };
    std::vector<std::thread> clients;
    for (uint32_t c = 0; c < 12; ++c) clients.emplace_back(client, c);
    for (std::thread& thread : clients) thread.join();
    const EngineStats stats = engine->stats();
    EXPECT_GT(stats.preemptions, 0) << "the cache was large enough: nothing was tested";
    EXPECT_GT(stats.cached_tokens, 0);
  }
}

// A greedy request alone: each step is launched before the one before is read, and a step is three
// operations of the host (inputs, graph, results) and one wait.
TEST(CudaEngine, ASteadyStepCostsTheHostFewOperations) {
  fake_cuda::set({});
  const Model model = tiny_model("llama");
  const auto engine = make_engine(model, on_cuda());
  Request request = request_number(0);
  request.n_logprobs.reset();
  request.prompt_logprobs = false;
  request.sampling = {.temperature = 0.0};
  request.ignore_eos = true;
  request.max_tokens = 10;
  (void)run(*engine, request);
  const fake_cuda::Counts before = fake_cuda::counts();
  request.max_tokens = 40;
  (void)run(*engine, request);
  const fake_cuda::Counts after = fake_cuda::counts();
  EXPECT_LE(after.n_waits - before.n_waits, 42);
  EXPECT_LE(after.n_launches - before.n_launches, 40 * 5 + 100);
  EXPECT_EQ(after.n_allocations, before.n_allocations);
}

TEST(CudaEngine, ChoicesAreTheRequestWithTheirOwnSeeds) {
  fake_cuda::set({});
  const Model model = tiny_model("qwen2");
  const auto engine = make_engine(model, on_cuda());
  Request request = request_number(1);
  request.max_tokens = 12;
  request.n = 3;
  Result<Stream> stream = engine->submit(request);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  const std::vector<Answer> answers = read_all(*stream, 3);
  request.n = 1;
  const uint64_t seed = request.sampling.seed;
  for (int32_t choice = 0; choice < 3; ++choice) {
    request.sampling.seed = choice_seed(seed, choice);
    EXPECT_EQ(answers[static_cast<size_t>(choice)], run(*engine, request)) << choice;
  }
}

TEST(CudaEngine, GreedyTokensAreTheCpuReferences) {
  fake_cuda::set({});
  const Model model = tiny_model("qwen3");
  Request request = request_number(2);
  request.sampling = {.temperature = 0.0};
  request.n_logprobs.reset();
  request.max_tokens = 24;
  const auto engine = make_engine(model, on_cuda());
  EngineOptions reference = on_cuda();
  reference.device = "cpu";
  reference.reference = true;
  EXPECT_EQ(run(*engine, request).ids, run(*make_engine(model, reference), request).ids);
}

// Everybody is told why, nobody waits for ever, and the engine says that it is not ready.
TEST(CudaEngine, ALostDeviceEndsRequestsWithTheReason) {
  fake_cuda::set({});
  const Model model = tiny_model("llama");
  const auto engine = make_engine(model, on_cuda());
  EXPECT_TRUE(engine->is_responsive(std::chrono::seconds(60)));
  fake_cuda::set({.fail_after = 150});
  Request request = request_number(0);
  request.prompt_logprobs = false;
  request.ignore_eos = true;
  request.max_tokens = 50;
  std::vector<Stream> streams;
  for (int i = 0; i < 3; ++i) {
    Result<Stream> stream = engine->submit(request);
    ASSERT_TRUE(stream.ok()) << stream.error().message;
    streams.push_back(std::move(*stream));
  }
  for (Stream& stream : streams) {
    const Answer answer = read_all(stream, 1)[0];
    EXPECT_EQ(answer.reason, FinishReason::kFailed);
    EXPECT_NE(answer.error.find("uncorrectable ECC error"), std::string::npos) << answer.error;
  }
  while (engine->is_responsive(std::chrono::seconds(60))) std::this_thread::yield();
  const Result<Stream> refused = engine->submit(request);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("uncorrectable ECC error"), std::string::npos);
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(engine->stats().kv_blocks_used, 0);
  fake_cuda::set({});
}

}  // namespace
}  // namespace forge::engine
