// The CUDA runtime's handles behind Stream, Event and Graph.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::kernels::cuda {

struct Stream::State {
  int32_t device = 0;
  cudaStream_t stream = nullptr;
  bool is_recording = false;
};

struct Event::State {
  int32_t device = 0;
  cudaEvent_t event = nullptr;
};

struct Graph::State {
  int32_t device = 0;
  cudaGraphExec_t graph = nullptr;
  int64_t n_nodes = 0;
};

}  // namespace forge::kernels::cuda
