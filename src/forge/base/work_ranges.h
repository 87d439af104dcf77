// Which worker of a team computes which chunks of a stage: contiguous shares, balanced by stealing.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace forge {

/// Chunks [begin, end).
struct ChunkRange {
  int32_t begin = 0;
  int32_t end = 0;
};

/// Worker w's share of n_chunks before anyone steals: contiguous, in order, sizes differ by at most
/// one. Who first touches the pages of a share should be its worker.
[[nodiscard]] constexpr ChunkRange share_of(int worker, int n_workers, int32_t n_chunks) {
  const auto cut = [&](int64_t w) { return static_cast<int32_t>(w * n_chunks / n_workers); };
  return {cut(worker), cut(worker + 1)};
}

/// The order in which workers take chunks; it must never change a result. All but the first are for
/// the tests that show this.
enum class TakeOrder {
  kOwnFirst,     // own share from the front; then half of the largest rest of another
  kOthersFirst,  // single chunks from the back of the next worker's share; its own comes last
  kRandom,       // single chunks from either end of a random worker's share
};

/// The chunks of one or more stages, each handed out exactly once. A stage uses a slot; slots are
/// independent of each other. Memory: 64 bytes per slot and worker.
///
/// A slot is filled by reset(), or by each worker's reset_own(), and emptied by next(). Between the
/// two lies a barrier, and another one between the last next() and the next reset. So a program of
/// many stages needs two slots: while the stage of one slot runs, each worker may fill its own part
/// of the other, whose stage ended at the last barrier.
///
///   for (int s = 0; s < n_stages; ++s) {
///     if (s + 1 < n_stages) ranges.reset_own((s + 1) % 2, worker, n_chunks[s + 1]);
///     while (const auto chunk = ranges.next(s % 2, worker)) compute(s, *chunk);
///     team.barrier(worker);
///   }
class WorkRanges {
 public:
  explicit WorkRanges(int n_workers, int n_slots = 2);

  /// Fills a slot for all workers. Nobody else uses the slot meanwhile.
  void reset(int slot, int32_t n_chunks);
  /// Fills the worker's own part of a slot with its share. Every worker must do so.
  void reset_own(int slot, int worker, int32_t n_chunks);

  /// The next chunk for a worker, none where all have been handed out (others may still compute
  /// theirs). Lock-free; any number of workers at a time, each with its own number.
  [[nodiscard]] std::optional<int32_t> next(int slot, int worker);

  /// Not while a slot is being emptied. seed is for kRandom.
  void set_order(TakeOrder order, uint64_t seed = 0);

  [[nodiscard]] int n_workers() const { return n_workers_; }

 private:
  // begin in the low half of the word, end in the high one. Nobody but its worker writes an empty
  // range; others take from the back of one that is not empty. A compare-and-swap cannot mistake an
  // old state for a new one: a chunk that has left all ranges never comes back before a reset.
  struct alignas(64) Part {
    std::atomic<uint64_t> range{0};
  };
  struct alignas(64) Random {
    uint64_t state = 0;
  };

  [[nodiscard]] Part& part(int slot, int worker) {
    return parts_[static_cast<size_t>(slot) * static_cast<size_t>(n_workers_) +
                  static_cast<size_t>(worker)];
  }
  [[nodiscard]] std::optional<int32_t> steal_half(int slot, int worker);
  [[nodiscard]] std::optional<int32_t> next_in_test_order(int slot, int worker);

  int n_workers_;
  int n_slots_;
  TakeOrder order_ = TakeOrder::kOwnFirst;
  std::vector<Part> parts_;
  std::vector<Random> random_;  // one per worker
};

}  // namespace forge
