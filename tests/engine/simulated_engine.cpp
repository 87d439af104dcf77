#include "tests/engine/simulated_engine.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "forge/tensor/paged_batch.h"

namespace forge::engine {
namespace {

constexpr int32_t kVocabulary = 3;  // small, so that texts meet again

uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

bool is_long(size_t n_tokens, const SchedulerOptions& options) {
  return options.long_rope_after > 0 && n_tokens > static_cast<size_t>(options.long_rope_after);
}

// The keys of all positions of a text of this length.
std::vector<uint64_t> keys_of(const std::vector<int32_t>& tokens, uint64_t salt, bool long_rope) {
  std::vector<uint64_t> keys;
  uint64_t key = mix(salt + (long_rope ? 77 : 0) + 1);
  for (const int32_t token : tokens)
    keys.push_back(key = mix(key + 1 + static_cast<uint64_t>(token)));
  return keys;
}

int32_t sampled(uint64_t key, uint64_t seed) {
  return static_cast<int32_t>(mix(key ^ mix(seed)) % kVocabulary);
}

uint64_t choice_seed_of(const SimulatedRequest& request, size_t choice) {
  return request.seed + 1000 * choice;
}

}  // namespace

SimulatedEngine::SimulatedEngine(const SchedulerOptions& options,
                                 const cache::KvBlocks::Options& blocks)
    : options_(options),
      blocks_(blocks),
      scheduler_(options, blocks_),
      keys_(static_cast<size_t>(blocks.n_blocks) * kBlockLen, 0) {}

SimulatedEngine::~SimulatedEngine() {
  for (auto& [sequence, choice] : choices_) scheduler_.remove(choice->sequence);
}

std::vector<std::vector<int32_t>> SimulatedEngine::generate_alone(const SimulatedRequest& request,
                                                                  const SchedulerOptions& options) {
  std::vector<std::vector<int32_t>> texts;
  for (int32_t i = 0; i < request.n_choices; ++i) {
    std::vector<int32_t> tokens = request.prompt;
    for (int32_t k = 0; k < request.n_generate; ++k) {
      const auto keys = keys_of(tokens, request.cache_salt, is_long(tokens.size(), options));
      tokens.push_back(sampled(keys.back(), choice_seed_of(request, static_cast<size_t>(i))));
    }
    texts.push_back(tokens);
  }
  return texts;
}

int32_t SimulatedEngine::submit(const SimulatedRequest& request) {
  const int32_t id = ++last_request_;
  Live& live = live_[id];
  live.request = request;
  live.n_open = static_cast<size_t>(request.n_choices);
  for (size_t i = 0; i < live.n_open; ++i) {
    auto choice = std::make_unique<Choice>();
    choice->request = id;
    choice->seed = choice_seed_of(request, i);
    choice->prompt_logits.assign(request.prompt.size(), 0);
    ScheduledSequence& s = choice->sequence;
    s.priority = request.priority;
    s.client = request.client;
    s.cache_salt = request.cache_salt;
    s.uses_prefix_cache = request.uses_prefix_cache;
    s.n_prompt = static_cast<int32_t>(request.prompt.size());
    s.max_len = s.n_prompt + request.n_generate;
    s.tokens.reserve(static_cast<size_t>(s.max_len));
    s.queue_deadline = request.queue_deadline;
    if (i == 0) {
      s.wants_prompt_logits = request.wants_prompt_logits;
      s.tokens = request.prompt;
      s.tokens.reserve(static_cast<size_t>(s.max_len));
      s.n_forks = request.n_choices - 1;
    }
    choices_[&s] = choice.get();
    live.choices.push_back(std::move(choice));
  }
  results_[id].resize(live.n_open);
  scheduler_.add(live.choices[0]->sequence);
  scheduler_.check_invariants();
  return id;
}

void SimulatedEngine::cancel(int32_t request) {
  const auto live = live_.find(request);
  if (live == live_.end()) return;
  for (const auto& choice : live->second.choices) {
    scheduler_.remove(choice->sequence);
    choices_.erase(&choice->sequence);
  }
  live_.erase(live);
  scheduler_.check_invariants();
}

ScheduledSequence& SimulatedEngine::sequence(int32_t request, size_t choice) {
  return live_.at(request).choices[choice]->sequence;
}

bool SimulatedEngine::step(TimePoint now, int32_t max_prompt_tokens,
                           const std::function<void()>& between) {
  const int32_t n_decodes = scheduler_.n_decodes();
  plan_ = scheduler_.plan(now, max_prompt_tokens);
  EXPECT_LE(plan_.n_decode_tokens, n_decodes);
  scheduler_.check_invariants();
  for (const ScheduledSequence* sequence : plan_.expired) {
    const int32_t request = choices_.at(sequence)->request;
    EXPECT_EQ(sequence->rank, 0U) << "expired though it had run";
    expired_.insert(request);
    cancel(request);
  }
  check_plan(max_prompt_tokens);
  if (plan_.is_empty()) {
    EXPECT_TRUE(live_.empty()) << "an empty step while requests are live";
  }
  for (const cache::BlockCopy& copy : plan_.copies) {
    std::copy_n(keys_.begin() + int64_t{copy.from} * kBlockLen, kBlockLen,
                keys_.begin() + int64_t{copy.to} * kBlockLen);
  }
  write_keys();
  check_keys();
  if (between) between();
  scheduler_.complete(plan_);
  scheduler_.check_invariants();
  std::vector<ScheduledRows> rows(plan_.rows.begin(), plan_.rows.end());
  std::erase_if(rows, [](const ScheduledRows& r) { return !r.sequence; });
  sample(rows);
  scheduler_.check_invariants();
  return !rows.empty();
}

void SimulatedEngine::check_plan(int32_t max_prompt_tokens) const {
  int32_t n_rows = 0;
  int32_t n_logits = 0;
  std::set<const ScheduledSequence*> seen;
  for (const ScheduledRows& rows : plan_.rows) {
    const ScheduledSequence& s = *rows.sequence;
    EXPECT_TRUE(seen.insert(&s).second) << "two parts of one sequence";
    EXPECT_EQ(s.state, ScheduledSequence::State::kRunning);
    EXPECT_EQ(rows.begin, s.n_computed);
    EXPECT_GT(rows.n_tokens, 0);
    EXPECT_LE(rows.n_tokens, s.n_pending());
    EXPECT_EQ(s.use_long_rope, is_long(s.tokens.size(), options_));
    if (rows.n_tokens == s.n_pending()) {
      EXPECT_GE(rows.n_logits, 1);
    }
    if (!s.wants_prompt_logits) {
      EXPECT_EQ(rows.n_logits, rows.n_tokens == s.n_pending() ? 1 : 0);
    }
    n_rows += rows.n_tokens;
    n_logits += rows.n_logits;
  }
  EXPECT_EQ(n_rows, plan_.n_decode_tokens + plan_.n_prompt_tokens);
  for (const ScheduledRows& rows : plan_.rows.first(static_cast<size_t>(plan_.n_decode_tokens))) {
    EXPECT_EQ(rows.n_tokens, 1);
  }
  EXPECT_LE(n_rows, options_.max_step_tokens);
  EXPECT_LE(n_logits, options_.max_logit_rows);
  if (plan_.n_decode_tokens > 0) {
    EXPECT_LE(plan_.n_prompt_tokens, max_prompt_tokens);
  }
}

uint64_t& SimulatedEngine::key_at(const ScheduledSequence& sequence, int32_t position) {
  const int32_t block = sequence.table.blocks.at(static_cast<size_t>(position / kBlockLen));
  return keys_.at(static_cast<size_t>(block) * kBlockLen +
                  static_cast<size_t>(position % kBlockLen));
}

// As a model does: the rows of all sequences are written before any of them looks.
void SimulatedEngine::write_keys() {
  for (const ScheduledRows& rows : plan_.rows) {
    const ScheduledSequence& s = *rows.sequence;
    const auto keys = keys_of(s.tokens, s.cache_salt, s.use_long_rope);
    for (int32_t p = rows.begin; p < rows.begin + rows.n_tokens; ++p) {
      const int32_t block = s.table.blocks[static_cast<size_t>(p / kBlockLen)];
      ASSERT_EQ(blocks_.owners(block), 1) << "writes position " << p << " of a shared block";
      key_at(s, p) = keys[static_cast<size_t>(p)];
    }
    n_computed_tokens_ += rows.n_tokens;
  }
}

void SimulatedEngine::check_keys() const {
  auto& self = const_cast<SimulatedEngine&>(*this);
  for (const ScheduledRows& rows : plan_.rows) {
    const ScheduledSequence& s = *rows.sequence;
    const auto keys = keys_of(s.tokens, s.cache_salt, s.use_long_rope);
    int32_t first = options_.window > 0 ? std::max(rows.begin - options_.window + 1, 0) : 0;
    if (options_.window > 0) first -= first % options_.window_span;
    for (int32_t p = first; p < rows.begin + rows.n_tokens; ++p) {
      ASSERT_GE(s.table.blocks.at(static_cast<size_t>(p / kBlockLen)), 0) << "position " << p;
      ASSERT_EQ(self.key_at(s, p), keys[static_cast<size_t>(p)])
          << "position " << p << " of sequence " << s.number;
    }
  }
}

void SimulatedEngine::sample(const std::vector<ScheduledRows>& rows) {
  for (const ScheduledRows& r : rows) {
    if (r.n_logits == 0) continue;
    Choice& choice = *choices_.at(r.sequence);
    const int32_t end = r.begin + r.n_tokens;
    for (int32_t p = end - r.n_logits; p < std::min(end, r.sequence->n_prompt); ++p) {
      ++choice.prompt_logits[static_cast<size_t>(p)];
    }
    if (r.sequence->n_pending() > 0) continue;
    const uint64_t key = key_at(*r.sequence, end - 1);
    Live& live = live_.at(choice.request);
    std::vector<Choice*> sampling{&choice};
    if (!live.is_forked && &choice == live.choices[0].get()) {
      live.is_forked = true;
      for (size_t i = 1; i < live.choices.size(); ++i) {
        scheduler_.fork(choice.sequence, live.choices[i]->sequence);
        sampling.push_back(live.choices[i].get());
      }
    }
    for (Choice* c : sampling) append(*c, key);
  }
}

void SimulatedEngine::append(Choice& choice, uint64_t key) {
  choice.sequence.tokens.push_back(sampled(key, choice.seed));
  if (static_cast<int32_t>(choice.sequence.tokens.size()) == choice.sequence.max_len)
    finish(choice);
}

void SimulatedEngine::finish(Choice& choice) {
  const int32_t request = choice.request;
  Live& live = live_.at(request);
  const auto index = static_cast<size_t>(
      std::ranges::find_if(live.choices, [&](const auto& c) { return c.get() == &choice; }) -
      live.choices.begin());
  if (choice.sequence.wants_prompt_logits) {
    for (const int32_t n : choice.prompt_logits) EXPECT_EQ(n, 1) << "of request " << request;
  }
  results_[request][index] = choice.sequence.tokens;
  scheduler_.remove(choice.sequence);
  if (--live.n_open > 0) return;
  finished_.push_back(request);
  cancel(request);
}

}  // namespace forge::engine
