// Reference: the log-probabilities that generation reports for the same tokens as a prompt.
#include "forge/engine/perplexity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forge/generate.h"
#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

std::string story(int n_sentences) {
  std::string text;
  for (int i = 0; i < n_sentences; ++i) {
    text += fmt::format("Tom saw {} red birds in the big tree. ", i);
  }
  return text;
}

TEST(Perplexity, ScoresTheSecondHalfOfEachChunk) {
  constexpr int32_t kChunk = 48;
  const text::Tokenizer& tokenizer = bundled().tokenizer;
  const std::vector<int32_t> ids = tokenizer.encode(story(20));
  const size_t n_chunks = ids.size() / kChunk;
  ASSERT_GE(n_chunks, 3u);
  EngineOptions options;
  options.context_len = kChunk;
  options.n_threads = 1;
  const auto engine = make_engine(bundled_model(), options);
  Request request;
  request.max_tokens = 0;
  request.n_logprobs = 0;
  request.prompt_logprobs = true;
  double nll = 0.0;
  double nll_squares = 0.0;
  for (size_t c = 0; c < n_chunks; ++c) {
    std::vector<int32_t> chunk(ids.begin() + static_cast<ptrdiff_t>(c) * kChunk,
                               ids.begin() + static_cast<ptrdiff_t>(c + 1) * kChunk);
    chunk[0] = *tokenizer.bos_id();
    request.prompt = chunk;
    const Result<Generation> scored = generate(*engine, request);
    ASSERT_TRUE(scored.ok());
    // Entry i is about token i + 1; tokens 25 to 47 are predicted from positions 24 to 46.
    for (size_t i = kChunk / 2; i < scored->prompt_logprobs.size(); ++i) {
      nll -= scored->prompt_logprobs[i].chosen.logprob;
      nll_squares += std::pow(scored->prompt_logprobs[i].chosen.logprob, 2);
    }
  }
  const Result<PerplexityResult> result = compute_perplexity(bundled(), story(20),
                                                             {.context_len = kChunk,
                                                              .n_threads = 2,
                                                              .backend = {},
                                                              .on_progress = {},
                                                              .is_cancelled = {}});
  ASSERT_TRUE(result.ok()) << result.error().message;
  const double n = static_cast<double>(n_chunks) * (kChunk / 2 - 1);
  EXPECT_EQ(result->n_chunks, static_cast<int32_t>(n_chunks));
  EXPECT_EQ(static_cast<double>(result->n_scored), n);
  EXPECT_EQ(result->n_tokens, static_cast<int64_t>(ids.size()));
  EXPECT_NEAR(result->mean_nll, nll / n, 1e-12);
  EXPECT_NEAR(result->perplexity, std::exp(nll / n), 1e-9);
  const double mean = nll / n;
  EXPECT_NEAR(result->standard_error,
              result->perplexity * std::sqrt((nll_squares / n - mean * mean) / (n - 1)), 1e-9);
  EXPECT_TRUE(result->is_complete);
}

TEST(Perplexity, ATextShorterThanAChunkIsRefusedWithBothNumbers) {
  const Result<PerplexityResult> result = compute_perplexity(
      bundled(), "Too short.",
      {.context_len = 512, .n_threads = 1, .backend = {}, .on_progress = {}, .is_cancelled = {}});
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find(" tokens, fewer than one chunk of 512"), std::string::npos);
}

TEST(Perplexity, ReportsProgressAndCanBeCancelled) {
  int n_reports = 0;
  PerplexityOptions options{.context_len = 32,
                            .n_threads = 1,
                            .backend = {},
                            .on_progress =
                                [&](const PerplexityResult& so_far, int32_t n_chunks) {
                                  EXPECT_EQ(so_far.n_chunks, ++n_reports);
                                  EXPECT_GT(n_chunks, 3);
                                },
                            .is_cancelled = [&] { return n_reports == 2; }};
  const Result<PerplexityResult> result = compute_perplexity(bundled(), story(20), options);
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->is_complete);
  EXPECT_EQ(result->n_chunks, 2);
}

}  // namespace
}  // namespace forge::engine
