// Trusts: the engine's penalties on the host (engine/penalties.h), which choose where prompt
// log-probabilities are asked for.
//
// Mutations that were seen: a history without what was generated, or of another slot; its staging
// memory used again without a wait.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "forge/engine.h"
#include "forge/engine/loop/device_sampling.h"
#include "forge/models/decoder.h"
#include "tests/cuda_engine/answers.h"
#include "tests/cuda_engine/tiny_model.h"
#include "tests/models/golden.h"
#include "tests/simt/fake_cuda.h"

namespace forge::engine {
namespace {

/// Greedy: the device's draw is not the host's. Prompts of many different tokens.
Request penalised(int i) {
  Request request;
  for (int t = 0; t < 40 + i * 3; ++t) request.prompt.push_back(4 + (t * 7 + i * 13) % 180);
  request.max_tokens = 24;
  request.ignore_eos = true;
  request.sampling.temperature = 0.0;
  request.sampling.repetition_penalty = 1.0 + 0.15 * i;
  request.sampling.frequency_penalty = i % 2 == 0 ? 0.4 : 0.0;
  request.sampling.presence_penalty = i % 3 == 0 ? 0.0 : 0.3;
  return request;
}

std::vector<int32_t> chosen_on_host(Engine& engine, Request request) {
  request.n_logprobs = 0;
  request.prompt_logprobs = true;
  return run(engine, request).ids;
}

TEST(CudaPenalties, AreTheHostsForSequencesThatComeTogetherAndGo) {
  fake_cuda::set({});
  constexpr int kRequests = 6;
  const Model model = tiny_model("llama");
  std::vector<std::vector<int32_t>> expected;
  std::vector<int32_t> plain;
  {
    const auto engine = make_engine(model, on_cuda());
    for (int i = 0; i < kRequests; ++i) expected.push_back(chosen_on_host(*engine, penalised(i)));
    Request without = penalised(5);
    without.sampling = {.temperature = 0.0};
    plain = run(*engine, without).ids;
  }
  EXPECT_NE(plain, expected[5]) << "penalties changed nothing: nothing was tested";
  // Three at once, in slots that others had; all new ones of a step together bring more than the
  // staging memory holds.
  EngineOptions options = on_cuda();
  options.max_sequences = 3;
  options.prefix_cache = false;
  const auto engine = make_engine(model, options);
  for (int round = 0; round < 2; ++round) {
    std::vector<Stream> streams;
    for (int i = 0; i < kRequests; ++i) {
      Result<Stream> stream = engine->submit(penalised(i));
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      streams.push_back(std::move(*stream));
    }
    for (int i = 0; i < kRequests; ++i) {
      const Answer answer = read_all(streams[static_cast<size_t>(i)], 1)[0];
      EXPECT_EQ(answer.ids, expected[static_cast<size_t>(i)]) << "request " << i;
    }
  }
}

int64_t launches_of(Engine& engine, const Request& request) {
  (void)run(engine, request);  // records what it needs
  const int64_t before = fake_cuda::counts().n_launches;
  (void)run(engine, request);
  return fake_cuda::counts().n_launches - before;
}

// The history goes over once (two copies), and the prompt's step, which is not recorded, has one
// kernel more. Logits that the host reads would go over with every token.
TEST(CudaPenalties, CostTheHostThreeOperationsARequest) {
  fake_cuda::set({});
  const Model model = tiny_model("llama");
  const auto engine = make_engine(model, on_cuda());
  Request without = penalised(1);
  without.sampling = {.temperature = 0.0};
  EXPECT_EQ(launches_of(*engine, penalised(1)), launches_of(*engine, without) + 3);
}

// A sequence that lost its slot while it waited brings what it has said since.
TEST(CudaPenalties, GoWithASequenceToItsNextSlot) {
  fake_cuda::set({});
  const auto model = models::load_or_die(models::golden_path("llama"));
  models::DecoderOptions options;
  options.n_cache_blocks = 8;
  options.max_sequences = 1;  // two slots
  options.backend.cuda_device = 0;
  Result<models::Decoder> decoder = models::Decoder::create(*model, options);
  ASSERT_TRUE(decoder.ok()) << decoder.error().message;
  DeviceSampling sampling(*decoder, model->spec.vocab_size, 1);
  std::vector<std::shared_ptr<LiveRequest>> live;
  for (int i = 0; i < 3; ++i) {
    Request request = penalised(i + 1);
    request.prompt = {5, 6, 5};
    const RequestLimits limits{192, 0, 64, 1, {}};
    live.push_back(make_live_request(request, limits, {}).value());
    ASSERT_TRUE(sampling.can_choose(*live.back()));
  }
  const auto choose_for = [&](size_t i) {
    Choosing job{.request = live[i], .choice = live[i]->choices.front().get(), .position = 3};
    sampling.begin_step();
    sampling.add(job, live);
    live[i]->choices.front()->state = ScheduledSequence::State::kRunning;
    return sampling.batch();
  };
  EXPECT_EQ(choose_for(0).histories.size(), 1u);
  EXPECT_EQ(choose_for(0).histories.size(), 0u) << "the device keeps it";
  (void)choose_for(1);
  LiveChoice& first = *live[0]->choices.front();
  for (const int32_t id : {6, 9, 9}) first.history.add_generated(id);
  first.state = ScheduledSequence::State::kWaiting;
  (void)choose_for(2);
  EXPECT_EQ(first.slot, -1);
  live[2]->choices.front()->state = ScheduledSequence::State::kWaiting;
  const models::SampleBatch batch = choose_for(0);
  ASSERT_EQ(batch.histories.size(), 1u);
  EXPECT_EQ(batch.histories[0].slot, first.slot);
  std::map<int32_t, int32_t> generated;
  for (const auto& entry : batch.history) generated[entry.id] = entry.n_generated;
  EXPECT_EQ(generated, (std::map<int32_t, int32_t>{{5, 0}, {6, 1}, {9, 2}}));

  // More different tokens than a slot's history holds are for the host.
  LiveRequest& longer = *live[1];
  longer.choices.front()->max_len = decoder->max_history();
  EXPECT_TRUE(sampling.can_choose(longer));
  ++longer.choices.front()->max_len;
  EXPECT_FALSE(sampling.can_choose(longer));
}

}  // namespace
}  // namespace forge::engine
