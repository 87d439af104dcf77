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

/// The chunks of a run's stages, each handed out exactly once. Nothing is prepared for a stage: a
/// worker's word says which stage it is about, and one that is about an older stage stands for that
/// worker's whole share of this one.
class WorkRanges {
 public:
  static constexpr int kMaxStages = 65'535;
  static constexpr int32_t kMaxChunks = (1 << 24) - 1;

  explicit WorkRanges(int n_workers);

  /// Before the stages of a run: forgets the last run. Not while next() is called.
  void clear();

  /// The next chunk of the stage for a worker, none where all have been handed out (others may
  /// still compute theirs). Lock-free; any number of workers at a time, each with its own number,
  /// but all with the same stage and n_chunks (<= kMaxChunks): stages must not overlap in time, and
  /// their numbers (< kMaxStages) ascend from clear() on.
  [[nodiscard]] std::optional<int32_t> next(int stage, int worker, int32_t n_chunks);

  /// Not while next() is called. seed is for kRandom.
  void set_order(TakeOrder order, uint64_t seed = 0);

  [[nodiscard]] int n_workers() const { return static_cast<int>(parts_.size()); }

 private:
  // bits 63..48 stage, all ones after clear()      bits 47..24 end      bits 23..0 begin
  //
  // Nobody but its worker writes an empty range; others take from the back of one that is not
  // empty. A compare-and-swap cannot mistake an old state for a new one: a chunk that has left all
  // ranges of a stage never comes back to one.
  struct alignas(64) Part {
    std::atomic<uint64_t> word{0};
    uint64_t random = 1;  // its worker's, for kRandom
  };
  struct Stage {
    uint64_t number;
    int32_t n_chunks;
  };

  [[nodiscard]] ChunkRange range_of(uint64_t word, int worker, Stage stage) const;
  enum class End { kFront, kBack };
  [[nodiscard]] std::optional<int32_t> take_one(Stage stage, int from, End end);
  [[nodiscard]] std::optional<int32_t> steal_half(Stage stage, int worker);
  [[nodiscard]] std::optional<int32_t> next_in_test_order(Stage stage, int worker);

  TakeOrder order_ = TakeOrder::kOwnFirst;
  std::vector<Part> parts_;  // one per worker
};

}  // namespace forge
