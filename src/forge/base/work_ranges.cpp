#include "forge/base/work_ranges.h"

#include "forge/base/check.h"

namespace forge {
namespace {

constexpr uint64_t kNoStage = 0xFFFF;

constexpr uint64_t pack(uint64_t stage, ChunkRange range) {
  return stage << 48 | static_cast<uint64_t>(range.end) << 24 | static_cast<uint64_t>(range.begin);
}

// Relaxed everywhere: the ranges carry no data. What a chunk reads was written before its stage
// began, and what it writes is read after the stage has ended.
constexpr auto kRelaxed = std::memory_order_relaxed;

// Marsaglia 2003, "Xorshift RNGs", section 3; never zero.
uint64_t next_random(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

WorkRanges::WorkRanges(int n_workers) : parts_(static_cast<size_t>(n_workers)) {
  FORGE_CHECK(n_workers >= 1, "n_workers {}", n_workers);
  clear();
}

void WorkRanges::clear() {
  for (Part& part : parts_) part.word.store(pack(kNoStage, {}), kRelaxed);
}

ChunkRange WorkRanges::range_of(uint64_t word, int worker, Stage stage) const {
  if (word >> 48 != stage.number) return share_of(worker, n_workers(), stage.n_chunks);
  return {static_cast<int32_t>(word & 0xFFFFFF), static_cast<int32_t>(word >> 24 & 0xFFFFFF)};
}

std::optional<int32_t> WorkRanges::next(int stage, int worker, int32_t n_chunks) {
  FORGE_DCHECK(stage >= 0 && stage < kMaxStages && n_chunks >= 0 && n_chunks <= kMaxChunks,
               "stage {}, {} chunks", stage, n_chunks);
  const Stage s{static_cast<uint64_t>(stage), n_chunks};
  if (order_ != TakeOrder::kOwnFirst) [[unlikely]]
    return next_in_test_order(s, worker);
  const auto own = take_one(s, worker, End::kFront);
  return own || parts_.size() == 1 ? own : steal_half(s, worker);
}

std::optional<int32_t> WorkRanges::take_one(Stage stage, int from, End end) {
  std::atomic<uint64_t>& part = parts_[static_cast<size_t>(from)].word;
  uint64_t word = part.load(kRelaxed);
  for (;;) {
    const ChunkRange r = range_of(word, from, stage);
    if (r.begin >= r.end) return std::nullopt;
    const ChunkRange rest =
        end == End::kFront ? ChunkRange{r.begin + 1, r.end} : ChunkRange{r.begin, r.end - 1};
    if (part.compare_exchange_weak(word, pack(stage.number, rest), kRelaxed)) {
      return end == End::kFront ? r.begin : rest.end;
    }
  }
}

std::optional<int32_t> WorkRanges::steal_half(Stage stage, int worker) {
  for (;;) {
    Part* victim = nullptr;
    uint64_t word = 0;
    ChunkRange largest;
    for (int w = 0; w < n_workers(); ++w) {
      Part& part = parts_[static_cast<size_t>(w)];
      const uint64_t seen = part.word.load(kRelaxed);
      const ChunkRange r = range_of(seen, w, stage);
      if (r.end - r.begin > largest.end - largest.begin) {
        victim = &part;
        word = seen;
        largest = r;
      }
    }
    if (victim == nullptr) return std::nullopt;
    const int32_t cut = largest.end - (largest.end - largest.begin + 1) / 2;
    const uint64_t rest = pack(stage.number, {largest.begin, cut});
    if (!victim->word.compare_exchange_strong(word, rest, kRelaxed)) {
      continue;  // somebody else got on with the work
    }
    // The own range is empty, and an empty one is nobody else's to write.
    Part& own = parts_[static_cast<size_t>(worker)];
    own.word.store(pack(stage.number, {cut + 1, largest.end}), kRelaxed);
    return cut;
  }
}

void WorkRanges::set_order(TakeOrder order, uint64_t seed) {
  order_ = order;
  for (size_t w = 0; w < parts_.size(); ++w) {
    parts_[w].random = (seed + w + 1) * 0x9E3779B97F4A7C15u | 1u;  // odd, so not zero
  }
}

std::optional<int32_t> WorkRanges::next_in_test_order(Stage stage, int worker) {
  int first = worker + 1;
  End end = End::kBack;
  if (order_ == TakeOrder::kRandom) {
    const uint64_t bits = next_random(parts_[static_cast<size_t>(worker)].random);
    first = static_cast<int>((bits >> 1) % parts_.size());
    if ((bits & 1) != 0) end = End::kFront;
  }
  for (int i = 0; i < n_workers(); ++i) {
    if (const auto chunk = take_one(stage, (first + i) % n_workers(), end)) return chunk;
  }
  return std::nullopt;
}

}  // namespace forge
