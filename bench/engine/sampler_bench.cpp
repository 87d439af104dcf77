// Microseconds per sampled token for a vocabulary of 152,000: median, fastest and slowest tenth.
// Logits as language models give them (one steep head, a wide tail) and, as the worst case, flat.
#include "forge/engine/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "forge/engine/random.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int32_t kVocabSize = 151'936;
constexpr int kRows = 16;  // 10 MB: more than L2 holds, as logits come from elsewhere
constexpr int kCalls = 320;

struct Row {
  std::vector<float> logits;
  std::vector<float> maxima;
};

/// Normal noise of width 2.5 and a head that falls like the logarithm of the rank (Zipf).
Row make_row(uint64_t seed, bool is_flat) {
  Row row;
  row.logits.resize(kVocabSize);
  for (int32_t id = 0; id < kVocabSize; ++id) {
    const auto n = static_cast<uint64_t>(id);
    const double radius = std::sqrt(-2.0 * std::log(uniform_at(seed, 2 * n)));
    const double normal = radius * std::cos(6.283185307179586 * uniform_at(seed, 2 * n + 1));
    row.logits[n] = static_cast<float>(normal * (is_flat ? 0.1 : 2.5));
  }
  for (int rank = 0; rank < 300 && !is_flat; ++rank) {
    const double at = uniform_at(seed + 1000, static_cast<uint64_t>(rank)) * kVocabSize;
    row.logits[static_cast<size_t>(at)] = static_cast<float>(20.0 - 1.8 * std::log(1.0 + rank));
  }
  for (int32_t begin = 0; begin < kVocabSize; begin += kPanelLen) {
    row.maxima.push_back(
        *std::max_element(row.logits.begin() + begin, row.logits.begin() + begin + kPanelLen));
  }
  return row;
}

void measure(const std::string& name, const SamplingParams& params, const std::vector<Row>& rows,
             const TokenHistory& history, bool has_maxima) {
  Sampler sampler(params);
  std::vector<double> microseconds;
  for (int call = 0; call < kCalls + kRows; ++call) {
    const Row& row = rows[static_cast<size_t>(call % kRows)];
    const auto start = Clock::now();
    const Result<int32_t> id = sampler.sample(row.logits, call, history,
                                              has_maxima ? row.maxima : std::span<const float>{});
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    if (!id.ok()) {
      fmt::print(stderr, "{}: {}\n", name, id.error().message);
      std::exit(1);
    }
    if (call >= kRows) microseconds.push_back(time.count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  fmt::print("{:<44} {:>9.1f} {:>9.1f} {:>9.1f}\n", name, microseconds[kCalls / 2],
             microseconds[kCalls / 10], microseconds[kCalls * 9 / 10]);
}

void measure_all() {
  std::vector<Row> rows;
  std::vector<Row> flat_rows;
  for (uint64_t seed = 0; seed < kRows; ++seed) {
    rows.push_back(make_row(seed, false));
    flat_rows.push_back(make_row(seed, true));
  }
  const TokenHistory none;
  TokenHistory long_history;
  std::vector<int32_t> prompt;
  for (uint64_t i = 0; i < 2000; ++i) {
    prompt.push_back(static_cast<int32_t>(uniform_at(77, i) * kVocabSize));
  }
  long_history.add_prompt(prompt);

  fmt::print("{:<44} {:>9} {:>9} {:>9}\n", "us per token, 151936 logits", "median", "10 %", "90 %");
  for (const bool has_maxima : {true, false}) {
    const std::string with = has_maxima ? "" : ", maxima not given";
    const auto run = [&](const std::string& name, const SamplingParams& params) {
      measure(name + with, params, rows, none, has_maxima);
    };
    run("greedy", {.temperature = 0.0});
    run("top-k 40", {.top_k = 40});
    run("top-k 40, top-p 0.95, min-p 0.05", {.top_k = 40, .top_p = 0.95, .min_p = 0.05});
    run("top-k 1000", {.top_k = 1000});
    run("top-p 0.9", {.top_p = 0.9});
    run("top-p 0.99, temperature 1.2", {.temperature = 1.2, .top_p = 0.99});
    run("min-p 0.05", {.min_p = 0.05});
    run("typical-p 0.9", {.typical_p = 0.9});
    run("temperature 0.8 alone", {.temperature = 0.8});
    measure("top-p 0.9, 2000 tokens penalised" + with, {.top_p = 0.9, .repetition_penalty = 1.1},
            rows, long_history, has_maxima);
  }
  measure("flat logits, top-k 40", {.top_k = 40}, flat_rows, none, true);
  measure("flat logits, top-p 0.9", {.top_p = 0.9}, flat_rows, none, true);
  measure("flat logits, typical-p 0.9", {.typical_p = 0.9}, flat_rows, none, true);
}

}  // namespace
}  // namespace forge::engine

int main() { forge::engine::measure_all(); }
