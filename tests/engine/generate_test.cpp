// Reference: the same generation asked in another way (chunks, threads, one step or many), and the
// text as the tokenizer decodes it.
#include "forge/generate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

constexpr std::string_view kPrompt =
    "Once upon a time, there was a little girl. She had a dog and a cat. One day the dog ran away.";

std::vector<int32_t> prompt_ids() { return bundled().tokenizer.encode(kPrompt); }

Request request_for(int32_t max_tokens) {
  Request request;
  request.prompt = prompt_ids();
  request.max_tokens = max_tokens;
  request.sampling.temperature = 0.8;
  request.sampling.seed = 11;
  return request;
}

std::unique_ptr<Engine> one_sequence_engine(const Model& model, int32_t n_threads = 1,
                                            int32_t chunk_tokens = 512) {
  EngineOptions options;
  options.n_threads = n_threads;
  options.max_sequences = 1;
  options.max_step_tokens = chunk_tokens;
  return make_engine(model, options);
}

Generation run(const Request& request, const GenerateCallbacks& callbacks = {},
               int32_t n_threads = 1, int32_t chunk_tokens = 512) {
  const auto engine = one_sequence_engine(bundled_model(), n_threads, chunk_tokens);
  Result<Generation> result = generate(*engine, request, callbacks);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() ? std::move(result).value() : Generation{};
}

TEST(Generate, ChunksAndThreadsChangeNoBit) {
  Request request = request_for(30);
  request.n_logprobs = 3;
  request.prompt_logprobs = true;
  const Generation whole = run(request);
  ASSERT_EQ(whole.ids.size(), 30u);
  ASSERT_EQ(whole.prompt_logprobs.size(), prompt_ids().size() - 1);
  for (const auto& [n_threads, chunk] : {std::pair{1, 1}, {1, 7}, {2, 16}, {2, 512}}) {
    const Generation other = run(request, {}, n_threads, chunk);
    SCOPED_TRACE(fmt::format("{} threads, chunks of {}", n_threads, chunk));
    EXPECT_EQ(other.ids, whole.ids);
    EXPECT_EQ(other.text, whole.text);
    ASSERT_EQ(other.logprobs.size(), whole.logprobs.size());
    for (size_t i = 0; i < whole.logprobs.size(); ++i) {
      EXPECT_EQ(other.logprobs[i].chosen.logprob, whole.logprobs[i].chosen.logprob) << i;
      EXPECT_EQ(other.logprobs[i].top[2].logprob, whole.logprobs[i].top[2].logprob) << i;
    }
    ASSERT_EQ(other.prompt_logprobs.size(), whole.prompt_logprobs.size());
    for (size_t i = 0; i < whole.prompt_logprobs.size(); ++i) {
      EXPECT_EQ(other.prompt_logprobs[i].chosen.logprob, whole.prompt_logprobs[i].chosen.logprob);
    }
  }
}

TEST(Generate, AnEngineMayBeUsedAgain) {
  const auto engine = one_sequence_engine(bundled_model());
  const Result<Generation> first = generate(*engine, request_for(20));
  Request other = request_for(20);
  other.sampling.seed = 12;
  ASSERT_TRUE(generate(*engine, other).ok());
  const Result<Generation> again = generate(*engine, request_for(20));
  EXPECT_EQ(first->ids, again->ids);
}

TEST(Generate, ASeedGoesOnWhereATextWasCut) {
  // Draws are keyed by position in the sequence: prompt + first half continues as the whole did.
  const Generation whole = run(request_for(20));
  Request longer = request_for(10);
  longer.prompt.insert(longer.prompt.end(), whole.ids.begin(), whole.ids.begin() + 10);
  EXPECT_EQ(run(longer).ids, std::vector<int32_t>(whole.ids.begin() + 10, whole.ids.end()));
}

TEST(Generate, PiecesAddUpToTheTextAndTheTextToTheTokens) {
  std::string streamed;
  const auto on_text = [&](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    streamed += piece;
    return true;
  };
  const Generation result = run(request_for(60), {.on_text = on_text, .is_cancelled = {}});
  EXPECT_EQ(streamed, result.text);
  EXPECT_GT(result.text.size(), 100u);
  std::vector<int32_t> all = prompt_ids();
  const std::string before = bundled().tokenizer.decode(all, {.skip_special = true});
  all.insert(all.end(), result.ids.begin(), result.ids.end());
  EXPECT_EQ(bundled().tokenizer.decode(all, {.skip_special = true}), before + result.text);
}

TEST(Generate, AStopStringIsNeverStreamedInPart) {
  const std::string text = run(request_for(60)).text;
  const std::string stop = text.substr(text.size() / 2, 6);
  Request request = request_for(60);
  request.stop_strings = {stop};
  std::string streamed;
  const auto on_text = [&](std::string_view piece) {
    streamed += piece;
    return true;
  };
  const Generation result = run(request, {.on_text = on_text, .is_cancelled = {}});
  EXPECT_EQ(result.finish_reason, FinishReason::kStopString);
  EXPECT_EQ(result.stop_string, stop);
  EXPECT_EQ(result.text, text.substr(0, text.find(stop)));
  EXPECT_EQ(streamed, result.text);
}

TEST(Generate, EndsWhenTheCallerWantsNoMore) {
  Request request = request_for(400);
  request.ignore_eos = true;
  int n_pieces = 0;
  const auto on_text = [&](std::string_view) { return ++n_pieces < 5; };
  const Generation refused = run(request, {.on_text = on_text, .is_cancelled = {}});
  EXPECT_EQ(refused.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(n_pieces, 5);

  const auto at_once = [] { return true; };
  const Generation cancelled = run(request, {.on_text = {}, .is_cancelled = at_once});
  EXPECT_EQ(cancelled.finish_reason, FinishReason::kCancelled);
}

TEST(Generate, ThePromptFillsTheContextOrIsRefused) {
  const auto n = static_cast<int32_t>(prompt_ids().size());
  const auto engine_with = [](int32_t context_len) {
    EngineOptions options;
    options.context_len = context_len;
    options.n_threads = 1;
    return make_engine(bundled_model(), options);
  };
  Request request = request_for(5);
  request.ignore_eos = true;
  const auto message = [&](Engine& engine) {
    const Result<Generation> result = generate(engine, request);
    return result.ok() ? std::string() : result.error().message;
  };
  EXPECT_EQ(message(*engine_with(n - 1)),
            fmt::format("the prompt has {} tokens, the context holds {}", n, n - 1));
  EXPECT_EQ(message(*engine_with(n)),
            fmt::format("the prompt has {} tokens and fills the context of {}: no room to generate",
                        n, n));
  const auto engine = engine_with(n + 2);
  const Result<Generation> result = generate(*engine, request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->ids.size(), 2u);
  EXPECT_EQ(result->finish_reason, FinishReason::kContextFull);
  request.prompt = {};
  EXPECT_EQ(message(*engine), "the prompt is empty: it has no tokens to continue");
  request.prompt = {5, 2048};
  EXPECT_EQ(message(*engine), "prompt token 2048 is not in the model's vocabulary of 0 to 2047");
  request.prompt = {5};
  request.stop_ids = {-1};
  EXPECT_EQ(message(*engine), "stop token -1 is not in the model's vocabulary of 0 to 2047");
  request.stop_ids = {};
  request.sampling.top_p = 2.0;
  EXPECT_EQ(message(*engine), "top_p is 2, expected a number >= 0 and <= 1");
}

TEST(Generate, BrokenWeightsAreAnError) {
  LoadedModel broken = load_bundled();
  const std::vector<float> nan(static_cast<size_t>(broken.spec().hidden_dim), NAN);
  broken.model->weights.output_norm = {
      DType::kF32, {broken.spec().hidden_dim}, reinterpret_cast<const std::byte*>(nan.data())};
  const auto engine = one_sequence_engine(Model::from(std::move(broken)));
  const Result<Generation> result = generate(*engine, request_for(5));
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind, ErrorKind::kInternal);
  EXPECT_NE(result.error().message.find("logit for token 0 is nan"), std::string::npos)
      << result.error().message;
}

TEST(Generate, StatsCountWhatHappened) {
  const Generation result = run(request_for(10));
  EXPECT_EQ(result.stats.n_prompt, static_cast<int32_t>(prompt_ids().size()));
  EXPECT_EQ(result.stats.n_generated, 10);
  EXPECT_GT(result.stats.prefill_ms, 0.0);
  EXPECT_GE(result.stats.time_to_first_token_ms, result.stats.prefill_ms);
  EXPECT_NEAR(result.stats.decode_rate(), 9000.0 / result.stats.decode_ms, 1e-9);
}

}  // namespace
}  // namespace forge::engine
