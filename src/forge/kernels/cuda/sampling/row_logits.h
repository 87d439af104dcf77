// A row of logits as the sampling kernels read it: by panels of 16, most of which their maxima show
// to be of no interest.
#pragma once

#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/device/warp.h"
#include "forge/kernels/cuda/sampling/row_state.h"
#include "forge/kernels/cuda/sampling/sampling.h"
#include "forge/kernels/cuda/sampling/weight.h"

namespace forge::kernels::cuda {

inline constexpr int kSampleThreads = 512;  // at most, of a block
inline constexpr int kSampleWarps = kSampleThreads / kWarpLanes;

struct alignas(16) Floats4 {
  float v[4];
};

struct RowLogits {
  float* logits;
  float* maxima;
  int vocab_size;
  int n_panels;

  FORGE_DEVICE RowLogits(const SampleTask& task, int logits_row)
      : logits(task.logits + logits_row * task.logits_stride),
        maxima(task.maxima + logits_row * task.maxima_stride),
        vocab_size(task.vocab_size),
        n_panels((task.vocab_size + kLogitPanel - 1) / kLogitPanel) {}
};

FORGE_DEVICE RowState& state_of(const SampleTask& task, int row) {
  return reinterpret_cast<RowState*>(task.workspace)[row];
}

/// The largest value that a thread of the block brings, in all of them. slots: kSampleWarps of
/// shared memory that nobody reads any more.
FORGE_DEVICE uint64_t max_of_block(uint64_t value, uint64_t* slots) {
  FORGE_UNROLL
  for (int mask = kWarpLanes / 2; mask > 0; mask /= 2) {
    const uint64_t other = shuffle_xor(value, mask);
    value = value > other ? value : other;
  }
  if (lane_index() == 0) slots[warp_index()] = value;
  sync_block();
  for (int warp = 0; warp < n_threads() / kWarpLanes; ++warp) {
    value = value > slots[warp] ? value : slots[warp];
  }
  return value;
}

/// The largest maximum of a row and the first panel that has it; or the first panel with a logit
/// that is +infinity or not a number.
struct Peak {
  float max;
  int panel;
  bool is_good;
};
FORGE_DEVICE Peak peak_of(const RowLogits& row, uint64_t* slots) {
  constexpr uint32_t kBad = 0xFFFFFFFFu;
  constexpr int kAhead = 4;  // loads that are under way at a time
  uint64_t best = 0;
  for (int base = thread_index(); base < row.n_panels; base += kAhead * n_threads()) {
    float maxima[kAhead];
    FORGE_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const int panel = base + i * n_threads();
      maxima[i] = panel < row.n_panels ? row.maxima[panel] : -INFINITY;
    }
    FORGE_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const int panel = base + i * n_threads();
      const uint64_t next = with_id(maxima[i] < INFINITY ? ascending_bits(maxima[i]) : kBad, panel);
      best = best > next ? best : next;
    }
  }
  best = max_of_block(best, slots);
  return {value_of_ascending(ascending_of(best)), id_of(best), ascending_of(best) != kBad};
}

/// The first token of a panel whose logit is as `is_it` says; the panel's first one where none is.
template <typename IsIt>
FORGE_DEVICE int first_of_panel(const RowLogits& row, int panel, IsIt is_it) {
  int first = panel * kLogitPanel;
  for (int id = first + kLogitPanel - 1; id >= panel * kLogitPanel; --id) {
    if (id < row.vocab_size && is_it(row.logits[id])) first = id;
  }
  return first;
}

/// The block's threads call visit(id, logit) for every token of panels [from, to) whose maximum is
/// as `wants` says. visit_group(first id, 4 logits, number of them that are there).
template <typename Wants, typename VisitGroup>
FORGE_DEVICE void for_each_group(const RowLogits& row, int from, int to, Wants wants,
                                 VisitGroup visit_group) {
  // Maxima lead to logits, so each step waits twice: several groups at a time share the wait.
  // Four would spill registers.
  constexpr int kAhead = 3;
  constexpr int kGroups = kLogitPanel / 4;
  const int end = to * kGroups;
  for (int base = from * kGroups + thread_index(); base < end; base += kAhead * n_threads()) {
    bool is_wanted[kAhead];
    Floats4 logits[kAhead];
    FORGE_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const int group = base + i * n_threads();
      is_wanted[i] =
          group < end && group * 4 < row.vocab_size && wants(row.maxima[group / kGroups]);
    }
    FORGE_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      if (is_wanted[i]) logits[i] = load_as<Floats4>(row.logits + (base + i * n_threads()) * 4);
    }
    FORGE_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      if (!is_wanted[i]) continue;
      const int first = (base + i * n_threads()) * 4;
      visit_group(first, logits[i], row.vocab_size - first < 4 ? row.vocab_size - first : 4);
    }
  }
}

/// Likewise visit(id, logit).
template <typename Wants, typename Visit>
FORGE_DEVICE void for_each_token(const RowLogits& row, int from, int to, Wants wants, Visit visit) {
  for_each_group(row, from, to, wants, [&](int first, const Floats4& logits, int n) {
    FORGE_UNROLL
    for (int i = 0; i < 4; ++i) {
      if (i < n) visit(first + i, logits.v[i]);
    }
  });
}

/// The panels of a row that this block takes: blockIdx.x of gridDim.x parts.
struct Part {
  int from;
  int to;
  FORGE_DEVICE explicit Part(int n_panels) {
    const int length = (n_panels + grid_x() - 1) / grid_x();
    from = block_x() * length < n_panels ? block_x() * length : n_panels;
    to = from + length < n_panels ? from + length : n_panels;
  }
};

/// After a block has left its part in global memory: whether it is the row's last one, which then
/// sees what all have left. Every thread gets the answer. The counter, 0 before, is 0 again.
FORGE_DEVICE bool is_last_part(int* counter, uint32_t* flag) {
  if (grid_x() == 1) return true;
  sync_block();
  if (thread_index() == 0) {
    const bool is_last = count_up(counter) == grid_x() - 1;
    if (is_last) *counter = 0;
    *flag = is_last ? 1 : 0;
  }
  sync_block();
  return *flag != 0;
}

}  // namespace forge::kernels::cuda
