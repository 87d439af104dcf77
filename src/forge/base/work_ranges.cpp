#include "forge/base/work_ranges.h"

#include "forge/base/check.h"

namespace forge {
namespace {

constexpr uint64_t pack(ChunkRange range) {
  return static_cast<uint64_t>(static_cast<uint32_t>(range.begin)) |
         static_cast<uint64_t>(static_cast<uint32_t>(range.end)) << 32;
}

constexpr ChunkRange unpack(uint64_t word) {
  return {static_cast<int32_t>(static_cast<uint32_t>(word)), static_cast<int32_t>(word >> 32)};
}

// Relaxed everywhere: the ranges carry no data. What a chunk reads was written before the barrier
// that began the stage, and what it writes is read after the one that ends it.
constexpr auto kRelaxed = std::memory_order_relaxed;

std::optional<int32_t> take_front(std::atomic<uint64_t>& range) {
  uint64_t word = range.load(kRelaxed);
  for (;;) {
    const ChunkRange r = unpack(word);
    if (r.begin >= r.end) return std::nullopt;
    if (range.compare_exchange_weak(word, pack({r.begin + 1, r.end}), kRelaxed)) return r.begin;
  }
}

std::optional<int32_t> take_back(std::atomic<uint64_t>& range) {
  uint64_t word = range.load(kRelaxed);
  for (;;) {
    const ChunkRange r = unpack(word);
    if (r.begin >= r.end) return std::nullopt;
    if (range.compare_exchange_weak(word, pack({r.begin, r.end - 1}), kRelaxed)) return r.end - 1;
  }
}

// Marsaglia 2003, "Xorshift RNGs", section 3; never zero.
uint64_t next_random(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

}  // namespace

WorkRanges::WorkRanges(int n_workers, int n_slots)
    : n_workers_(n_workers),
      n_slots_(n_slots),
      parts_(static_cast<size_t>(n_workers) * static_cast<size_t>(n_slots)),
      random_(static_cast<size_t>(n_workers)) {
  FORGE_CHECK(n_workers >= 1 && n_slots >= 1, "{} workers, {} slots", n_workers, n_slots);
}

void WorkRanges::reset(int slot, int32_t n_chunks) {
  for (int w = 0; w < n_workers_; ++w) reset_own(slot, w, n_chunks);
}

void WorkRanges::reset_own(int slot, int worker, int32_t n_chunks) {
  FORGE_DCHECK(slot < n_slots_ && worker < n_workers_ && n_chunks >= 0, "slot {} worker {}: {}",
               slot, worker, n_chunks);
  part(slot, worker).range.store(pack(share_of(worker, n_workers_, n_chunks)), kRelaxed);
}

std::optional<int32_t> WorkRanges::next(int slot, int worker) {
  if (order_ != TakeOrder::kOwnFirst) [[unlikely]]
    return next_in_test_order(slot, worker);
  const auto own = take_front(part(slot, worker).range);
  return own || n_workers_ == 1 ? own : steal_half(slot, worker);
}

std::optional<int32_t> WorkRanges::steal_half(int slot, int worker) {
  for (;;) {
    int victim = -1;
    uint64_t word = 0;
    int32_t largest = 0;
    for (int w = 0; w < n_workers_; ++w) {
      const uint64_t seen = part(slot, w).range.load(kRelaxed);
      const int32_t rest = unpack(seen).end - unpack(seen).begin;
      if (rest > largest) {
        largest = rest;
        victim = w;
        word = seen;
      }
    }
    if (victim < 0) return std::nullopt;
    const ChunkRange r = unpack(word);
    const int32_t cut = r.end - (largest + 1) / 2;
    if (!part(slot, victim).range.compare_exchange_strong(word, pack({r.begin, cut}), kRelaxed)) {
      continue;  // somebody else got on with the work
    }
    // The own range is empty, and an empty one is nobody else's to write.
    part(slot, worker).range.store(pack({cut + 1, r.end}), kRelaxed);
    return cut;
  }
}

void WorkRanges::set_order(TakeOrder order, uint64_t seed) {
  order_ = order;
  for (size_t w = 0; w < random_.size(); ++w) {
    random_[w].state = (seed + w + 1) * 0x9E3779B97F4A7C15u | 1u;  // odd, so not zero
  }
}

std::optional<int32_t> WorkRanges::next_in_test_order(int slot, int worker) {
  uint64_t bits = 0;
  int first = worker + 1;
  if (order_ == TakeOrder::kRandom) {
    bits = next_random(random_[static_cast<size_t>(worker)].state);
    first = static_cast<int>((bits >> 1) % static_cast<uint64_t>(n_workers_));
  }
  for (int i = 0; i < n_workers_; ++i) {
    std::atomic<uint64_t>& range = part(slot, (first + i) % n_workers_).range;
    if (const auto chunk = bits & 1 ? take_front(range) : take_back(range)) return chunk;
  }
  return std::nullopt;
}

}  // namespace forge
