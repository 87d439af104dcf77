#include "forge/engine/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include "forge/base/memory_bandwidth.h"
#include "forge/cache/kv_blocks.h"
#include "forge/engine/bench_cost.h"
#include "forge/engine/machine_limits.h"
#include "forge/engine/process_memory.h"
#include "forge/engine/random.h"
#include "forge/engine/sampler.h"
#include "forge/kernels/cuda/bandwidth/read_rate.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/models/decoder_memory.h"
#include "forge/models/pipelined_backend.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int32_t kMaxBatch = 1024;
constexpr int32_t kStepTokens = 512;  // of a prompt, at once
constexpr int32_t kFirstPrompt = 16;  // tokens of the time-to-first-token test
constexpr int64_t kMaxTokens = int64_t{1} << 30;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

int32_t largest_batch(const BenchOptions& options) {
  return options.n_gen == 0 ? 1 : *std::ranges::max_element(options.batches);
}

/// Tokens that one sequence has at the end of the longest test.
int64_t longest_sequence(const BenchOptions& options) {
  return std::max<int64_t>(kFirstPrompt,
                           int64_t{options.depth} + std::max(options.n_prompt, options.n_gen));
}

/// Runs steps on sequences whose cache blocks are dealt out once: sequence s has every table's
/// worth of blocks after those of s - 1. Positions can be set back to run the same tokens again.
class Runner {
 public:
  Runner(const models::Model& model, models::Decoder& decoder, const BenchOptions& options)
      : spec_(model.spec), decoder_(decoder) {
    const int32_t n_decode = cache::KvBlocks::blocks_for(int64_t{options.depth} + options.n_gen);
    const int32_t n_longest = cache::KvBlocks::blocks_for(longest_sequence(options));
    blocks_.resize(static_cast<size_t>(
        std::max<int64_t>(n_longest, int64_t{n_decode} * largest_batch(options))));
    std::iota(blocks_.begin(), blocks_.end(), 0);
    n_blocks_of_one_ = n_decode;
  }

  /// Appends n_tokens to sequence s, at positions from begin on, in steps; logits of the last token
  /// only. The first sequence may use all blocks.
  Result<ActivationView> prefill(int32_t s, int32_t begin, int32_t n_tokens) {
    ActivationView logits;
    for (int32_t at = begin; at < begin + n_tokens;) {
      const int32_t n = std::min(kStepTokens, begin + n_tokens - at);
      clear();
      add_rows(s, at, n);
      at += n;
      if (at == begin + n_tokens) logit_rows_.push_back(n - 1);
      FORGE_TRY(logits, step());
    }
    return logits;
  }

  /// One token for each of n sequences at a position; its logits.
  Result<ActivationView> decode(int32_t n_sequences, int32_t position) {
    add_decodes(n_sequences, position);
    return step();
  }
  /// n_steps tokens for each, from a position on, as the engine does it: a device that chooses
  /// tokens gets its next step before the last one is collected, and its own tokens back. False
  /// where it was cancelled.
  Result<bool> decode_many(int32_t n_sequences, int32_t position, int32_t n_steps,
                           const CancelCheck& is_cancelled) {
    const bool is_pipelined = decoder_.n_slots() > 0;
    bool is_under_way = false;
    for (int32_t i = 0; i < n_steps; ++i) {
      if (is_cancelled && is_cancelled()) break;
      add_decodes(n_sequences, position + i);
      if (is_pipelined) feed_back(is_under_way, position + i);
      FORGE_TRY_STATUS(decoder_.launch(batch(), {.rows = samples_}));
      if (is_pipelined == is_under_way) {
        FORGE_TRY([[maybe_unused]] const models::StepResults results, decoder_.collect());
      }
      is_under_way = is_pipelined;
    }
    if (is_under_way) {
      FORGE_TRY([[maybe_unused]] const models::StepResults results, decoder_.collect());
    }
    return !(is_cancelled && is_cancelled());
  }

 private:
  void clear() {
    ids_.clear();
    positions_.clear();
    sequences_.clear();
    logit_rows_.clear();
  }
  void add_rows(int32_t s, int32_t position, int32_t n) {
    const auto row_begin = static_cast<int32_t>(ids_.size());
    for (int32_t p = position; p < position + n; ++p) {
      const double draw = uniform_at(static_cast<uint64_t>(s), static_cast<uint64_t>(p));
      ids_.push_back(static_cast<int32_t>(draw * spec_.vocab_size));
      positions_.push_back(p);
    }
    const auto first_block = static_cast<size_t>(s) * static_cast<size_t>(n_blocks_of_one_);
    const bool is_long =
        !spec_.rope.long_inv_freq.empty() && position + n > spec_.rope.original_context;
    sequences_.push_back({.row_begin = row_begin,
                          .row_end = row_begin + n,
                          .kv_len = position + n,
                          .block_table = std::span<const int32_t>(blocks_).subspan(first_block),
                          .use_long_rope = is_long});
  }
  void add_decodes(int32_t n_sequences, int32_t position) {
    clear();
    for (int32_t s = 0; s < n_sequences; ++s) {
      add_rows(s, position, 1);
      logit_rows_.push_back(s);
    }
  }
  /// The device chooses each sequence's token, from the second step on after the one that it chose
  /// last.
  void feed_back(bool has_chosen, int32_t position) {
    samples_.clear();
    for (int32_t s = 0; s < static_cast<int32_t>(ids_.size()); ++s) {
      samples_.push_back(kernels::cuda::settings_of(SamplingParams{.temperature = 0.0}));
      samples_.back().logits_row = s;
      samples_.back().slot = s;
      samples_.back().position = position;
      if (has_chosen) ids_[static_cast<size_t>(s)] = -1 - s;
    }
  }
  [[nodiscard]] PagedBatch batch() const {
    return {.token_ids = ids_,
            .positions = positions_,
            .sequences = sequences_,
            .logit_rows = logit_rows_};
  }
  Result<ActivationView> step() { return decoder_.step(batch()); }

  const models::ModelSpec& spec_;
  models::Decoder& decoder_;
  std::vector<int32_t> blocks_;
  int32_t n_blocks_of_one_ = 0;
  std::vector<int32_t> ids_, positions_, logit_rows_;  // of one step
  std::vector<SequenceRows> sequences_;
  std::vector<kernels::cuda::SampleRow> samples_;
};

/// Everything of one call of run_bench.
class Bench {
 public:
  Bench(const models::Model& model, models::Decoder& decoder, const BenchOptions& options)
      : model_(model),
        options_(options),
        cost_(step_cost(model, options.backend)),
        kv_per_token_(models::kv_bytes_per_token(model.spec, bench_decoder_options(options))),
        decoder_(decoder),
        runner_(model, decoder, options) {}

  Result<BenchResult> operator()() {
    FORGE_TRY_STATUS(measure_memory());
    if (options_.n_prompt > 0) {
      FORGE_TRY(const bool is_whole, prompt_test());
      if (!is_whole) return std::move(result_);
    }
    FORGE_TRY_STATUS(measure_memory());
    for (const int32_t batch : options_.batches) {
      if (options_.n_gen == 0) break;
      FORGE_TRY(const bool is_whole, decode_test(batch));
      if (!is_whole) return std::move(result_);
      FORGE_TRY_STATUS(measure_memory());
    }
    FORGE_TRY(const bool is_done, first_token_test());
    if (!is_done) return std::move(result_);
    FORGE_TRY_STATUS(measure_memory());
    result_.is_complete = true;
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool is_cancelled() const {
    return options_.is_cancelled && options_.is_cancelled();
  }
  void say(const std::string& test) const {
    if (options_.on_test) options_.on_test(test);
  }

  /// The bandwidth at this moment: on shared machines it changes while one watches. Its own memory
  /// is kept out of the peak.
  Status measure_memory() {
    constexpr int64_t kWanted = int64_t{512} << 20;
    constexpr int64_t kLeast = int64_t{64} << 20;
    result_.peak_resident_bytes = std::max(result_.peak_resident_bytes, peak_resident_bytes());
    if (options_.backend.cuda_device) return measure_device_memory(*options_.backend.cuda_device);
    const auto available = available_memory();
    const int64_t bytes = available ? std::clamp(available->bytes / 4, kLeast, kWanted) : kWanted;
    FORGE_TRY(
        const std::vector<double> rates,
        measure_read_bandwidth({.n_threads = options_.n_threads, .bytes = bytes, .n_passes = 3}));
    result_.read_rates.insert(result_.read_rates.end(), rates.begin(), rates.end());
    reset_peak_resident_bytes();
    return {};
  }

  Status measure_device_memory(int32_t device) {
    constexpr int64_t kWanted = int64_t{2} << 30;
    FORGE_TRY(const int64_t free, kernels::cuda::free_memory(device));
    FORGE_TRY(const std::vector<double> rates,
              kernels::cuda::measure_read_rates(device, std::min(kWanted, free / 2), 5));
    result_.read_rates.insert(result_.read_rates.end(), rates.begin(), rates.end());
    return {};
  }

  /// False where it was cancelled; so the other tests.
  Result<bool> prompt_test() {
    BenchTest test{.name = fmt::format("pp{}", options_.n_prompt),
                   .kind = BenchKind::kPrompt,
                   .depth = options_.depth};
    say(test.name);
    FORGE_TRY(const bool is_filled, fill(1));
    if (!is_filled) return false;
    std::vector<double> rates;
    models::StageTimes before;
    for (int32_t repeat = -1; repeat < options_.n_repeats; ++repeat) {
      if (is_cancelled()) return false;
      if (repeat == 0) before = decoder_.stage_times();
      const auto begin = Clock::now();
      FORGE_TRY([[maybe_unused]] const auto logits,
                runner_.prefill(0, options_.depth, options_.n_prompt));
      if (repeat >= 0) rates.push_back(options_.n_prompt / seconds_since(begin));
    }
    test.tokens_per_second = spread_of(std::move(rates));
    const double n = options_.n_prompt;
    const int32_t n_steps = (options_.n_prompt + kStepTokens - 1) / kStepTokens;
    // A step reads the keys and values of all tokens up to its last one once.
    double kv_bytes = 0.0;
    for (int32_t s = 0; s < n_steps; ++s) {
      const int32_t end = std::min((s + 1) * kStepTokens, options_.n_prompt);
      kv_bytes += kv_bytes_read(model_.spec, kv_per_token_, options_.depth + end);
    }
    test.bytes_per_token = (static_cast<double>(cost_.weight_bytes) * n_steps + kv_bytes) / n;
    test.operations_per_token = 2.0 * static_cast<double>(cost_.layer_parameters) +
                                attention_operations(model_.spec, options_.depth + (n + 1.0) / 2.0);
    if (options_.wants_stages) {
      test.breakdown = breakdown_since(before, n / n_steps / test.tokens_per_second.median);
    }
    result_.tests.push_back(std::move(test));
    return true;
  }

  Result<bool> decode_test(int32_t batch) {
    BenchTest test{.name = fmt::format("tg{}", options_.n_gen),
                   .kind = BenchKind::kDecode,
                   .batch = batch,
                   .depth = options_.depth};
    say(fmt::format("{}, {} sequence{}", test.name, batch, batch == 1 ? "" : "s"));
    FORGE_TRY(const bool is_filled, fill(batch));
    if (!is_filled) return false;
    FORGE_TRY(const bool is_warm, runner_.decode_many(batch, options_.depth, 2, {}));
    if (!is_warm) return false;
    const models::StageTimes before = decoder_.stage_times();
    std::vector<double> rates;
    for (int32_t repeat = 0; repeat < options_.n_repeats; ++repeat) {
      const auto begin = Clock::now();
      FORGE_TRY(const bool is_whole,
                runner_.decode_many(batch, options_.depth, options_.n_gen, options_.is_cancelled));
      if (!is_whole) return false;
      rates.push_back(double{1} * options_.n_gen * batch / seconds_since(begin));
    }
    test.tokens_per_second = spread_of(std::move(rates));
    const double n_in_sight = options_.depth + (options_.n_gen + 1.0) / 2.0;
    test.bytes_per_token = static_cast<double>(cost_.weight_bytes) / batch +
                           kv_bytes_read(model_.spec, kv_per_token_, n_in_sight);
    test.operations_per_token = 2.0 * static_cast<double>(cost_.layer_parameters) +
                                attention_operations(model_.spec, n_in_sight);
    if (options_.wants_stages) {
      test.breakdown = breakdown_since(before, batch / test.tokens_per_second.median);
      FORGE_TRY(const ActivationView logits, runner_.decode(batch, options_.depth));
      test.breakdown->greedy_seconds = sampling_seconds(logits, {.temperature = 0.0});
      test.breakdown->top_p_seconds = sampling_seconds(logits, {.temperature = 0.8, .top_p = 0.95});
    }
    result_.tests.push_back(std::move(test));
    return true;
  }

  [[nodiscard]] StepBreakdown breakdown_since(const models::StageTimes& before,
                                              double step_seconds) const {
    StepBreakdown breakdown{.stages = decoder_.stage_times(), .step_seconds = step_seconds};
    breakdown.stages.steps -= before.steps;
    for (size_t stage = 0; stage < before.seconds.size(); ++stage) {
      breakdown.stages.seconds[stage] -= before.seconds[stage];
    }
    return breakdown;
  }

  /// Of one step's worth of tokens: one from each row of the logits that the last step left.
  [[nodiscard]] double sampling_seconds(const ActivationView& logits,
                                        const SamplingParams& params) const {
    Sampler sampler(params);
    const TokenHistory history;
    std::vector<double> seconds;
    for (int32_t repeat = -1; repeat < options_.n_repeats; ++repeat) {
      const auto begin = Clock::now();
      for (int64_t row = 0; row < logits.rows; ++row) {
        // Logits that are no numbers are a failure in the first-token test.
        (void)sampler.sample({logits.row(row), static_cast<size_t>(logits.columns)}, repeat + 1,
                             history, decoder_.logit_maxima(row));
      }
      if (repeat >= 0) seconds.push_back(seconds_since(begin));
    }
    return median(std::move(seconds));
  }

  /// Brings n sequences to the depth.
  Result<bool> fill(int32_t n_sequences) {
    if (options_.depth == 0) return true;
    for (int32_t s = 0; s < n_sequences; ++s) {
      if (is_cancelled()) return false;
      FORGE_TRY([[maybe_unused]] const auto logits, runner_.prefill(s, 0, options_.depth));
    }
    return true;
  }

  Result<bool> first_token_test() {
    result_.n_first_prompt = std::min(kFirstPrompt, model_.spec.context_len);
    say(fmt::format("first token of {}", result_.n_first_prompt));
    Sampler greedy({.temperature = 0.0});
    std::vector<double> seconds;
    for (int32_t repeat = -1; repeat < options_.n_repeats; ++repeat) {
      if (is_cancelled()) return false;
      const auto begin = Clock::now();
      FORGE_TRY(const ActivationView logits, runner_.prefill(0, 0, result_.n_first_prompt));
      const auto token =
          greedy.sample({logits.row(0), static_cast<size_t>(logits.columns)}, 0, TokenHistory());
      if (!token.ok()) return token.error();
      if (repeat >= 0) seconds.push_back(seconds_since(begin));
    }
    result_.first_token_seconds = spread_of(std::move(seconds));
    return true;
  }

  const models::Model& model_;
  const BenchOptions& options_;
  const StepCost cost_;
  const int64_t kv_per_token_;
  models::Decoder& decoder_;
  Runner runner_;
  BenchResult result_;
};

}  // namespace

Spread spread_of(std::vector<double> values) {
  const auto [min, max] = std::ranges::minmax_element(values);
  Spread spread{.min = *min, .max = *max};
  spread.median = median(std::move(values));
  return spread;
}

Status check_bench(const BenchOptions& options, const models::ModelSpec& spec) {
  const std::pair<const char*, int64_t> counts[] = {
      {"--prompt", options.n_prompt}, {"--gen", options.n_gen}, {"--depth", options.depth}};
  for (const auto& [flag, count] : counts) {
    if (count < 0) return make_error("{} {}: expected 0 or more", flag, count);
  }
  if (options.n_repeats < 1) {
    return make_error("--repeat {}: expected 1 or more", options.n_repeats);
  }
  if (options.n_prompt == 0 && options.n_gen == 0) {
    return Error{"--prompt 0 and --gen 0: nothing to measure"};
  }
  if (options.batches.empty()) return Error{"--batch: expected at least one number"};
  for (const int32_t batch : options.batches) {
    if (batch >= 1 && batch <= kMaxBatch) continue;
    return make_error("--batch {}: expected 1 to {}", batch, kMaxBatch);
  }
  for (const auto& [flag, count] : {counts[0], counts[1]}) {
    const int64_t n_tokens = int64_t{options.depth} + count;
    if (count == 0 || n_tokens <= spec.context_len) continue;
    return make_error("--depth {} {} {}: {} tokens, the model's context is {}", options.depth, flag,
                      count, n_tokens, spec.context_len);
  }
  const int64_t n_tokens = largest_batch(options) * longest_sequence(options);
  if (n_tokens > kMaxTokens) {
    return make_error("--batch {} --depth {}: {} tokens in the cache, at most {}",
                      largest_batch(options), options.depth, n_tokens, kMaxTokens);
  }
  return {};
}

models::DecoderOptions bench_decoder_options(const BenchOptions& options) {
  const int32_t batch = largest_batch(options);
  models::DecoderOptions decoder;
  decoder.n_threads = options.n_threads;
  decoder.n_cache_blocks =
      std::max(cache::KvBlocks::blocks_for(longest_sequence(options)),
               batch * cache::KvBlocks::blocks_for(int64_t{options.depth} + options.n_gen));
  decoder.max_batch_tokens = std::max(
      batch,
      std::min<int32_t>(kStepTokens, std::max({kFirstPrompt, options.n_prompt, options.depth})));
  decoder.max_logit_rows = batch;
  decoder.measures_stages = options.wants_stages;
  decoder.backend = options.backend;
  return decoder;
}

Result<BenchResult> run_bench(const models::Model& model, const BenchOptions& options) {
  FORGE_TRY_STATUS(check_bench(options, model.spec));
  FORGE_TRY(models::Decoder decoder,
            models::Decoder::create(model, bench_decoder_options(options)));
  return Bench(model, decoder, options)();
}

}  // namespace forge::engine
