// Measuring how fast a model runs: prompts, decoding of one and of several sequences.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine/sequence.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"
#include "forge/models/stage_times.h"

namespace forge::engine {

struct BenchOptions {
  int32_t n_prompt = 512;  // tokens of the prompt test; 0: no such test
  int32_t n_gen = 128;     // steps of a decode test; 0: none
  int32_t depth = 0;       // tokens of each sequence in the cache before a test begins
  std::vector<int32_t> batches = {1, 4, 8, 16, 32};  // sequences that decode together
  int32_t n_threads = 1;
  int32_t n_repeats = 5;
  models::BackendOptions backend;
  /// Where the time goes, too. Costs two clock readings per stage of a step.
  bool wants_stages = false;
  /// Hears what is being measured: "tg128, 8 sequences".
  std::function<void(const std::string& test)> on_test;
  CancelCheck is_cancelled;
};

struct Spread {
  double median = 0.0;
  double min = 0.0;
  double max = 0.0;
};
/// values is not empty.
[[nodiscard]] Spread spread_of(std::vector<double> values);

/// Where the time of a test's steps went, the mean of the measured ones.
struct StepBreakdown {
  models::StageTimes stages;  // the sums of worker 0 over `steps` steps
  double step_seconds = 0.0;  // of one step
  /// Of choosing one token for each sequence on the host, which no rate includes: greedily, and
  /// with temperature 0.8 and top-p 0.95.
  double greedy_seconds = 0.0;
  double top_p_seconds = 0.0;
};

enum class BenchKind { kPrompt, kDecode };

struct BenchTest {
  std::string name;  // "pp512", "tg128"
  BenchKind kind = BenchKind::kPrompt;
  int32_t batch = 1;  // sequences
  int32_t depth = 0;
  Spread tokens_per_second = {};    // all sequences together
  double bytes_per_token = 0.0;     // weights and KV that a step must read, over its tokens
  double operations_per_token = 0;  // of the layers' matrices and of attention
  std::optional<StepBreakdown> breakdown = {};  // where it was wanted
};

struct BenchResult {
  std::vector<BenchTest> tests;
  Spread first_token_seconds;  // prompt of n_first_prompt tokens, the model being loaded
  int32_t n_first_prompt = 0;
  std::vector<double> read_rates;   // bytes per second, measured before, between and after tests
  int64_t peak_resident_bytes = 0;  // during the tests; that of the read measurement left out
  bool is_complete = false;         // false: cancelled
};

/// Fails on counts that make no sense and on tests that do not fit the context, naming the flags.
[[nodiscard]] Status check_bench(const BenchOptions& options, const models::ModelSpec& spec);

/// The decoder that run_bench makes, for the memory plan: a cache for the largest test.
[[nodiscard]] models::DecoderOptions bench_decoder_options(const BenchOptions& options);

/// Runs the tests, prompt first. Tokens are random ids. On the CPU no sampling is done: a rate is
/// that of the model's steps, logits of every decoded token included. A device chooses its tokens
/// greedily and is fed with them, since that is how it decodes. Each test is run once unmeasured
/// and then n_repeats times from the same depth. Prompts go in the
/// engine's steps: up to 512 tokens, 2048 on a device.
[[nodiscard]] Result<BenchResult> run_bench(const models::Model& model,
                                            const BenchOptions& options);

}  // namespace forge::engine
