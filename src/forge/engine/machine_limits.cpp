#include "forge/engine/machine_limits.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <numeric>
#include <thread>

#include "forge/base/thread_team.h"
#include "forge/kernels/cpu/levels.h"

namespace forge::engine {
namespace {

using Clock = std::chrono::steady_clock;
using PeakFn = double (*)(int64_t rounds);

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// One run on all threads at once: the sum of what each did per second.
double peak_once(PeakFn peak, int n_threads) {
  constexpr double kSeconds = 0.03;
  constexpr int64_t kRounds = 2000;  // a few microseconds, a millisecond at the scalar level
  std::vector<double> rates(static_cast<size_t>(n_threads));
  std::barrier meeting(n_threads);
  const auto work = [&](size_t thread) {
    meeting.arrive_and_wait();
    (void)peak(kRounds);
    const Clock::time_point begin = Clock::now();
    double operations = 0.0;
    double seconds = 0.0;
    while (seconds < kSeconds) {
      operations += peak(kRounds);
      seconds = seconds_since(begin);
    }
    rates[thread] = operations / seconds;
  };
  std::vector<std::thread> others;
  for (size_t thread = 1; thread < rates.size(); ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

double peak_of(PeakFn peak, int n_threads) {
  constexpr int kRuns = 5;
  double best = 0.0;
  for (int run = 0; run < kRuns; ++run) best = std::max(best, peak_once(peak, n_threads));
  return best;
}

}  // namespace

PeakRates measure_peaks(kernels::cpu::IsaLevel level, int n_threads) {
  const kernels::cpu::KernelTable& kernels = kernels::cpu::kernels_of(level);
  return {.int8 = peak_of(kernels.peak_int8, n_threads),
          .bf16 = peak_of(kernels.peak_bf16, n_threads),
          .f32 = peak_of(kernels.peak_f32, n_threads)};
}

std::optional<double> measure_stage_latency(int n_threads) {
  constexpr int kRuns = 50;
  constexpr int kStages = 1000;
  constexpr double kPatience = 0.01;  // seconds in the first stage for the others to wake up
  // Written by its worker alone, 64 bytes apart from the next.
  struct alignas(64) Count {
    int n_stages = 0;
  };
  std::vector<Count> counts(static_cast<size_t>(n_threads));
  ThreadTeam team(n_threads);
  std::vector<double> seconds;
  for (int run = 0; run < kRuns; ++run) {
    std::ranges::fill(counts, Count{});
    std::atomic<int> n_arrived = 0;
    Clock::time_point begin;
    team.run(kStages + 2, [&](int stage, int worker) {
      if (stage == 0) {
        ++n_arrived;
        const Clock::time_point arrived = Clock::now();
        while (n_arrived < n_threads && seconds_since(arrived) < kPatience) {
        }
      }
      if (stage == 1 && worker == 0) begin = Clock::now();
      ++counts[static_cast<size_t>(worker)].n_stages;
    });
    const double elapsed = seconds_since(begin);
    const bool is_complete =
        std::ranges::all_of(counts, [](const Count& c) { return c.n_stages == kStages + 2; });
    if (is_complete) seconds.push_back(elapsed / kStages);
  }
  if (seconds.empty()) return std::nullopt;
  return median(std::move(seconds));
}

double median(std::vector<double> values) {
  FORGE_CHECK(!values.empty(), "median of nothing");
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

}  // namespace forge::engine
