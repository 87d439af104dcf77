// Reference: the same generation asked in another way (chunks, threads, one step or many), and the
// text as the tokenizer decodes it.
#include "forge/engine/generate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

constexpr std::string_view kPrompt =
    "Once upon a time, there was a little girl. She had a dog and a cat. One day the dog ran away.";

std::vector<int32_t> prompt_ids() { return bundled().tokenizer.encode(kPrompt); }

GenerateOptions options_for(int32_t max_tokens) {
  GenerateOptions options;
  options.max_tokens = max_tokens;
  options.context_len = bundled().spec().context_len;
  options.sampling.temperature = 0.8;
  options.sampling.seed = 11;
  return options;
}

Generation run(const LoadedModel& loaded, const GenerateOptions& options, int32_t n_threads = 1,
               int32_t chunk_tokens = kDefaultChunkTokens) {
  Generator generator =
      make_generator(loaded, single_sequence_options(loaded.spec().context_len, n_threads,
                                                     LogitRows::kMany, chunk_tokens));
  Result<Generation> result = generator.run(prompt_ids(), options);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result.ok() ? std::move(result).value() : Generation{};
}

TEST(Generate, ChunksAndThreadsChangeNoBit) {
  GenerateOptions options = options_for(30);
  options.n_logprobs = 3;
  options.want_prompt_logprobs = true;
  const Generation whole = run(bundled(), options);
  ASSERT_EQ(whole.ids.size(), 30u);
  ASSERT_EQ(whole.prompt_logprobs.size(), prompt_ids().size() - 1);
  for (const auto& [n_threads, chunk] : {std::pair{1, 1}, {1, 7}, {2, 16}, {2, 512}}) {
    const Generation other = run(bundled(), options, n_threads, chunk);
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

TEST(Generate, AGeneratorMayBeUsedAgain) {
  Generator generator =
      make_generator(bundled(), single_sequence_options(512, 1, LogitRows::kLast));
  const Result<Generation> first = generator.run(prompt_ids(), options_for(20));
  GenerateOptions other = options_for(20);
  other.sampling.seed = 12;
  ASSERT_TRUE(generator.run(prompt_ids(), other).ok());
  const Result<Generation> again = generator.run(prompt_ids(), options_for(20));
  EXPECT_EQ(first->ids, again->ids);
}

TEST(Generate, ASeedGoesOnWhereATextWasCut) {
  // Draws are keyed by position in the sequence: prompt + first half continues as the whole did.
  const Generation whole = run(bundled(), options_for(20));
  std::vector<int32_t> longer = prompt_ids();
  longer.insert(longer.end(), whole.ids.begin(), whole.ids.begin() + 10);
  Generator generator =
      make_generator(bundled(), single_sequence_options(512, 1, LogitRows::kLast));
  const Result<Generation> rest = generator.run(longer, options_for(10));
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->ids, std::vector<int32_t>(whole.ids.begin() + 10, whole.ids.end()));
}

TEST(Generate, PiecesAddUpToTheTextAndTheTextToTheTokens) {
  GenerateOptions options = options_for(60);
  std::string streamed;
  int n_pieces = 0;
  options.on_text = [&](std::string_view piece) {
    EXPECT_FALSE(piece.empty());
    streamed += piece;
    ++n_pieces;
    return true;
  };
  const Generation result = run(bundled(), options);
  EXPECT_EQ(streamed, result.text);
  EXPECT_GT(n_pieces, 20);
  std::vector<int32_t> all = prompt_ids();
  const std::string before = bundled().tokenizer.decode(all, {.skip_special = true});
  all.insert(all.end(), result.ids.begin(), result.ids.end());
  EXPECT_EQ(bundled().tokenizer.decode(all, {.skip_special = true}), before + result.text);
}

TEST(Generate, AStopStringIsNeverStreamedInPart) {
  const std::string text = run(bundled(), options_for(60)).text;
  const std::string stop = text.substr(text.size() / 2, 6);
  GenerateOptions options = options_for(60);
  options.stop_strings = {stop};
  std::string streamed;
  options.on_text = [&](std::string_view piece) {
    streamed += piece;
    return true;
  };
  const Generation result = run(bundled(), options);
  EXPECT_EQ(result.finish_reason, FinishReason::kStopString);
  EXPECT_EQ(result.stop_string, stop);
  EXPECT_EQ(result.text, text.substr(0, text.find(stop)));
  EXPECT_EQ(streamed, result.text);
}

TEST(Generate, EndsWhenTheCallerWantsNoMore) {
  GenerateOptions options = options_for(60);
  int n_pieces = 0;
  options.on_text = [&](std::string_view) { return ++n_pieces < 5; };
  const Generation refused = run(bundled(), options);
  EXPECT_EQ(refused.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(n_pieces, 5);

  options = options_for(60);
  int n_asked = 0;
  options.is_cancelled = [&] { return ++n_asked > 10; };
  const Generation cancelled = run(bundled(), options, 1, 16);
  EXPECT_EQ(cancelled.finish_reason, FinishReason::kCancelled);
  EXPECT_LT(cancelled.ids.size(), 10u);

  options.is_cancelled = [] { return true; };  // already in the prompt
  EXPECT_TRUE(run(bundled(), options).ids.empty());
}

TEST(Generate, ThePromptFillsTheContextOrIsRefused) {
  Generator generator =
      make_generator(bundled(), single_sequence_options(512, 1, LogitRows::kLast));
  const auto n = static_cast<int32_t>(prompt_ids().size());
  GenerateOptions options = options_for(5);
  options.ignore_eos = true;
  const auto message = [&](std::span<const int32_t> prompt) {
    const Result<Generation> result = generator.run(prompt, options);
    return result.ok() ? std::string() : result.error().message;
  };
  options.context_len = n - 1;
  EXPECT_EQ(message(prompt_ids()),
            fmt::format("the prompt has {} tokens, the context holds {}", n, n - 1));
  options.context_len = n;
  EXPECT_EQ(message(prompt_ids()),
            fmt::format("the prompt has {} tokens and fills the context of {}: no room to generate",
                        n, n));
  options.context_len = n + 2;
  const Result<Generation> result = generator.run(prompt_ids(), options);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->ids.size(), 2u);
  EXPECT_EQ(result->finish_reason, FinishReason::kContextFull);
  EXPECT_EQ(message({}), "the prompt is empty: it has no tokens to continue");
  EXPECT_EQ(message(std::vector<int32_t>{5, 2048}),
            "prompt token 2048 is not in the model's vocabulary of 0 to 2047");
  options.stop_ids = {-1};
  EXPECT_EQ(message(prompt_ids()), "stop token -1 is not in the model's vocabulary of 0 to 2047");
  options.stop_ids = {};
  options.sampling.top_p = 2.0;
  EXPECT_EQ(message(prompt_ids()), "top_p is 2, expected a number >= 0 and <= 1");
}

TEST(Generate, BrokenWeightsAreAnError) {
  LoadedModel broken = load_bundled();
  const std::vector<float> nan(static_cast<size_t>(broken.spec().hidden_dim), NAN);
  broken.model->weights.output_norm = {
      DType::kF32, {broken.spec().hidden_dim}, reinterpret_cast<const std::byte*>(nan.data())};
  Generator generator = make_generator(broken, single_sequence_options(512, 1, LogitRows::kLast));
  const Result<Generation> result = generator.run(prompt_ids(), options_for(5));
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("logit for token 0 is nan"), std::string::npos)
      << result.error().message;
}

TEST(Generate, StatsCountWhatHappened) {
  const Generation result = run(bundled(), options_for(10));
  EXPECT_EQ(result.stats.n_prompt, static_cast<int32_t>(prompt_ids().size()));
  EXPECT_EQ(result.stats.n_generated, 10);
  EXPECT_GT(result.stats.prefill_ms, 0.0);
  EXPECT_GE(result.stats.time_to_first_token_ms, result.stats.prefill_ms);
  EXPECT_NEAR(result.stats.decode_rate(), 9000.0 / result.stats.decode_ms, 1e-9);
}

}  // namespace
}  // namespace forge::engine
