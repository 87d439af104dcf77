// Trusts: each request's tokens computed alone without a cache, and the checks of SimulatedEngine
// after every step, through random schedules with fixed seeds.
#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "tests/engine/simulated_engine.h"

namespace forge::engine {
namespace {

struct Machine {
  const char* name;
  SchedulerOptions options;
  cache::KvBlocks::Options blocks;
};

class SchedulerRandom : public testing::TestWithParam<Machine> {
 protected:
  SimulatedRequest random_request() {
    const SchedulerOptions& options = GetParam().options;
    SimulatedRequest r;
    // Beginnings of a few texts, so that prefixes meet; some end at a block's border.
    const int32_t text = pick(3);
    const int32_t n_prompt = pick(3) == 0 ? 16 * (1 + pick(4)) : 1 + pick(70);
    for (int32_t i = 0; i < n_prompt; ++i) r.prompt.push_back((i * (text + 1) / 5) % 3);
    if (pick(3) == 0) r.prompt.back() = pick(3);
    r.n_generate = 1 + pick(40);
    r.n_choices = pick(4) == 0 ? 1 + pick(options.max_sequences) : 1;
    r.seed = static_cast<uint64_t>(pick(4));
    r.priority = pick(3) == 0 ? pick(3) - 1 : 0;
    r.client = std::string(1, static_cast<char>('a' + pick(4)));
    r.cache_salt = pick(5) == 0 ? 1 : 0;
    r.uses_prefix_cache = pick(8) != 0;
    r.wants_prompt_logits = pick(6) == 0;
    if (pick(10) == 0) r.queue_deadline = now_ + std::chrono::milliseconds(pick(30));
    return r;
  }
  int32_t pick(int32_t n) { return static_cast<int32_t>(random_() % static_cast<uint32_t>(n)); }

  std::mt19937 random_;
  TimePoint now_{};
};

TEST_P(SchedulerRandom, EveryRequestGetsWhatItGetsAloneAndAllMemoryComesBack) {
  int64_t n_preemptions = 0;
  for (uint32_t seed = 0; seed < 25; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    random_.seed(seed);
    now_ = {};
    SimulatedEngine engine(GetParam().options, GetParam().blocks);
    std::map<int32_t, SimulatedRequest> requests;
    std::set<int32_t> cancelled;
    const auto cancel_one = [&] {
      if (requests.empty()) return;
      const auto it = std::next(requests.begin(), pick(static_cast<int32_t>(requests.size())));
      if (engine.is_live(it->first)) cancelled.insert(it->first);
      engine.cancel(it->first);
    };
    for (int step = 0; step < 250; ++step) {
      now_ += std::chrono::milliseconds(1);
      for (int n = pick(6) == 0 ? pick(5) : 0; n > 0; --n) {
        const SimulatedRequest request = random_request();
        requests[engine.submit(request)] = request;
      }
      if (pick(20) == 0) cancel_one();
      engine.step(now_, 1 + pick(40), [&] {
        if (pick(20) == 0) cancel_one();
      });
      ASSERT_FALSE(HasFailure()) << "step " << step;
    }
    // Nobody starves: what is left needs a step per token at most, each computed a few times.
    for (int step = 0; !engine.is_idle(); ++step) {
      ASSERT_LT(step, 30'000);
      engine.step(now_, 8);
      ASSERT_FALSE(HasFailure()) << "while draining, step " << step;
    }
    EXPECT_EQ(engine.blocks().n_used(), 0);
    EXPECT_EQ(engine.scheduler().n_running(), 0);
    EXPECT_EQ(engine.scheduler().n_waiting(), 0);
    size_t n_finished = 0;
    for (const auto& [id, request] : requests) {
      if (cancelled.contains(id) || engine.expired().contains(id)) continue;
      ++n_finished;
      EXPECT_EQ(engine.result(id), SimulatedEngine::generate_alone(request, GetParam().options))
          << "request " << id;
    }
    EXPECT_EQ(engine.finished().size(), n_finished);
    EXPECT_GT(n_finished, 20U);
    n_preemptions += engine.scheduler().n_preemptions();
  }
  const std::string_view name = GetParam().name;
  if (name != "roomy") {
    EXPECT_GT(n_preemptions, 10) << "the schedule is too easy";
  }
}

constexpr SchedulerOptions kSmall{.max_sequences = 6, .max_step_tokens = 40, .max_logit_rows = 9};

SchedulerOptions with(SchedulerOptions options, int32_t window, int32_t long_rope_after) {
  options.window = window;
  options.window_span = 32;
  options.long_rope_after = long_rope_after;
  return options;
}

// The longest request has 110 tokens: 7 blocks.
INSTANTIATE_TEST_SUITE_P(
    Machines, SchedulerRandom,
    testing::Values(Machine{"roomy", kSmall, {.n_blocks = 200}},
                    Machine{"tight", kSmall, {.n_blocks = 16}},
                    Machine{"exactly_one", kSmall, {.n_blocks = 7}},
                    Machine{"no_cache", kSmall, {.n_blocks = 16, .prefix_cache = false}},
                    Machine{"collisions", kSmall, {.n_blocks = 16, .hash_bits = 0}},
                    Machine{"window", with(kSmall, 20, 0), {.n_blocks = 9}},
                    Machine{"long_rope", with(kSmall, 0, 50), {.n_blocks = 16}},
                    Machine{"window_and_long_rope", with(kSmall, 40, 60), {.n_blocks = 10}},
                    Machine{"a_token_a_step",
                            {.max_sequences = 4, .max_step_tokens = 4, .max_logit_rows = 4},
                            {.n_blocks = 12}}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace forge::engine
