// Everything that a step reads and writes on the device, beside weights and cache.
#pragma once

#include <cstdint>

#include "forge/models/cuda/step_buffers.h"

namespace forge::models::cuda {

struct WorkMemory {
  StepInputs inputs;
  StepBuffers buffers;
  SampleBuffers samples;
  SampleHistories histories;
  int32_t* copies = nullptr;  // (n_sequences, 2): blocks to be copied
};

[[nodiscard]] inline WorkMemory lay_out_work(const ModelSpec& spec, const DecoderShape& shape,
                                             DeviceArena& arena) {
  return {lay_out_inputs(shape, arena), lay_out_buffers(spec, shape, arena),
          lay_out_samples(shape, arena), lay_out_histories(shape, arena),
          arena.take_array<int32_t>(int64_t{2} * shape.n_sequences)};
}

}  // namespace forge::models::cuda
