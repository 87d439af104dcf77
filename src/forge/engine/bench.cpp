#include "forge/engine/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "forge/base/memory_bandwidth.h"
#include "forge/engine/bench_cost.h"
#include "forge/engine/bench_runner.h"
#include "forge/engine/bench_sizes.h"
#include "forge/engine/machine_limits.h"
#include "forge/engine/process_memory.h"
#include "forge/engine/sampler.h"
#include "forge/kernels/cuda/bandwidth/read_rate.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/models/decoder_memory.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Everything of one call of run_bench.
class Bench {
 public:
  Bench(const models::Model& model, models::Decoder& decoder, const BenchOptions& options)
      : model_(model),
        options_(options),
        cost_(step_cost(model, options.backend)),
        kv_per_token_(models::kv_bytes_per_token(model.spec, bench_decoder_options(options))),
        decoder_(decoder),
        runner_(model.spec, decoder, bench_sizes(options)) {}

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
    const int32_t step_tokens = bench_sizes(options_).step_tokens;
    const int32_t n_steps = (options_.n_prompt + step_tokens - 1) / step_tokens;
    // A step reads the keys and values of all tokens up to its last one once.
    double kv_bytes = 0.0;
    for (int32_t s = 0; s < n_steps; ++s) {
      const int32_t end = std::min((s + 1) * step_tokens, options_.n_prompt);
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
    result_.n_first_prompt = std::min(kFirstPromptTokens, model_.spec.context_len);
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
  BenchRunner runner_;
  BenchResult result_;
};

}  // namespace

Spread spread_of(std::vector<double> values) {
  const auto [min, max] = std::ranges::minmax_element(values);
  Spread spread{.min = *min, .max = *max};
  spread.median = median(std::move(values));
  return spread;
}

Result<BenchResult> run_bench(const models::Model& model, const BenchOptions& options) {
  FORGE_TRY_STATUS(check_bench(options, model.spec));
  FORGE_TRY(models::Decoder decoder,
            models::Decoder::create(model, bench_decoder_options(options)));
  return Bench(model, decoder, options)();
}

}  // namespace forge::engine
