// Logit bias, penalties and excluded tokens: the few logits of a row that they touch are changed
// where they lie, and their panels' maxima with them.
//
//   grid (n_rows), a block per row: some thousand entries at most, whose logits lie anywhere.
//
// Which tokens a sequence holds is a list of distinct ids with counts, not a count per token of the
// vocabulary: 12 bytes per distinct token instead of 300 KB per sequence to be read in each step.
// The list is searched for the token chosen last while it is applied, so keeping it costs nothing.
#pragma once

#include "forge/kernels/cuda/device/atomics.h"
#include "forge/kernels/cuda/sampling/row_logits.h"

namespace forge::kernels::cuda {

struct ChangeShared {
  uint64_t peak_slots[kSampleWarps];
  uint32_t is_known;  // the pending token is an entry
};

/// Keskar et al. 2019, arXiv:1909.05858, then OpenAI's formula: penalties.h of the engine. In
/// single precision, so up to 2 units of the last place from the CPU's.
FORGE_DEVICE float penalised(const SampleRow& row, float logit, int n_generated) {
  logit *= logit > 0.0f ? row.inverse_repetition : row.repetition;
  if (n_generated == 0) return logit;
  return logit - (static_cast<float>(n_generated) * row.frequency + row.presence);
}

/// By one thread: ids of a list differ.
FORGE_DEVICE void penalise(const SampleRow& row, const RowLogits& logits, HistoryEntry& entry) {
  if (entry.id < 0 || entry.id >= logits.vocab_size) return;
  float& logit = logits.logits[entry.id];
  entry.raw = logit;
  logit = penalised(row, logit, entry.n_generated);
}

/// Makes the slot's list right and applies it.
FORGE_DEVICE void apply_history(const SampleTask& task, const SampleRow& row,
                                const RowLogits& logits, ChangeShared& shared) {
  HistoryEntry* entries = task.history + row.slot * task.history_stride;
  SlotHistory& slot = task.slots[row.slot];
  const int n_entries = slot.n_entries;
  const int pending = slot.pending;
  if (thread_index() == 0) shared.is_known = pending < 0 ? 1 : 0;
  sync_block();  // for the biases too
  for (int i = thread_index(); i < n_entries; i += n_threads()) {
    if (pending >= 0 && entries[i].id == pending) {
      ++entries[i].n_generated;
      shared.is_known = 1;
    }
    penalise(row, logits, entries[i]);
  }
  sync_block();
  if (thread_index() != 0) return;
  if (shared.is_known == 0) {
    entries[n_entries] = {pending, 1, 0.0f};
    penalise(row, logits, entries[n_entries]);
    slot.n_entries = n_entries + 1;
  }
  slot.pending = -1;
}

/// Several threads may come with the same panel, and write the same.
FORGE_DEVICE void renew_maximum(const RowLogits& row, int id) {
  if (id < 0 || id >= row.vocab_size) return;
  const int first = id / kLogitPanel * kLogitPanel;
  float max = -INFINITY;
  for (int i = first; i < first + kLogitPanel && i < row.vocab_size; ++i) {
    max = larger(row.logits[i], max);
  }
  row.maxima[id / kLogitPanel] = max;
}

FORGE_KERNEL(kSampleThreads, 1)
change_logits(SampleTask task) {
  wait_for_predecessor();
  let_successor_start();
  const SampleRow& row = task.rows[block_x()];
  if (!row.has(kActive) || !row.changes_logits()) return;  // the whole block, here and below
  auto& shared = *reinterpret_cast<ChangeShared*>(shared_memory());
  const RowLogits logits(task, row.logits_row);
  // What is wrong with the model's logits must be seen as the model's.
  if (!peak_of(logits, shared.peak_slots).is_good) return;
  const int thread = thread_index();
  if (thread == 0) state_of(task, block_x()).is_changed = 1;

  for (int i = row.bias_begin + thread; i < row.bias_end; i += n_threads()) {
    BiasEntry& entry = task.biases[i];
    float& logit = logits.logits[entry.id];
    entry.raw = logit;
    logit += entry.bias;
  }
  if (row.has(kHistory)) apply_history(task, row, logits, shared);
  sync_block();
  for (int i = row.excluded_begin + thread; i < row.excluded_end; i += n_threads()) {
    logits.logits[task.excluded[i]] = -INFINITY;
  }
  sync_block();

  for (int i = row.bias_begin + thread; i < row.bias_end; i += n_threads()) {
    renew_maximum(logits, task.biases[i].id);
  }
  if (row.has(kHistory)) {
    const HistoryEntry* entries = task.history + row.slot * task.history_stride;
    for (int i = thread; i < task.slots[row.slot].n_entries; i += n_threads()) {
      renew_maximum(logits, entries[i].id);
    }
  }
  for (int i = row.excluded_begin + thread; i < row.excluded_end; i += n_threads()) {
    renew_maximum(logits, task.excluded[i]);
  }
}

}  // namespace forge::kernels::cuda
