// A step's inputs in pinned memory, from the batch that the engine gives.
#pragma once

#include <cstdint>

#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/forward.h"
#include "forge/models/cuda/step_buffers.h"
#include "forge/tensor/paged_batch.h"

namespace forge::models::cuda {

/// A step in the order of the device: sequences of one row first.
struct WrittenStep {
  StepBounds bounds;          // exact
  int64_t table_entries = 0;  // of StepInputs::block_tables
};

/// Writes the batch. Sequences of one row must come before longer ones (the scheduler's order),
/// else each is treated as a prompt, which costs time and no bits. Entries of block tables that no
/// row sees may be negative.
[[nodiscard]] WrittenStep write_step(const PagedBatch& batch, const StepInputs& to);

/// Makes the rest of larger bounds harmless: rows that are not there, sequences without rows.
void pad_step(const StepBounds& from, const StepBounds& to, const StepInputs& inputs);

}  // namespace forge::models::cuda
