// What a decoder needs for the products of --fast-nondeterministic: memory, and a choice made
// before the first step.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "forge/base/result.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/models/cuda/decoder_shape.h"
#include "forge/models/cuda/device_weights.h"
#include "forge/models/cuda/library/library_products.h"
#include "forge/models/cuda/step_buffers.h"
#include "forge/models/model_spec.h"

namespace forge::models::cuda {

/// Scratch and workspace. weights may be a plan without memory.
[[nodiscard]] int64_t library_scratch_bytes(const DeviceWeights& weights,
                                            const DecoderShape& shape);

struct LibrarySetup {
  kernels::cuda::DeviceInfo device;
  const ModelSpec& spec;
  const DecoderShape& shape;
  const DeviceWeights& weights;  // loaded
  const kernels::cuda::DeviceMemory& weight_memory;
  const StepBuffers& buffers;
  const kernels::cuda::DeviceMemory& scratch;  // library_scratch_bytes()
  std::function<void(std::string_view)> on_note;
};

/// Chooses, and leaves anything in the buffers. FORGE_CUBLASLT_TOKENS is the number of tokens from
/// which on the library is tried, for measuring where that pays; with FORGE_CUBLASLT_ALL=1 it
/// computes what it can, quicker or not, for checking it. Fails where the former is no number or
/// the device is lost.
[[nodiscard]] Result<std::unique_ptr<LibraryProducts>> prepare_library(
    kernels::cuda::Stream& stream, ProductLibrary library, const LibrarySetup& setup);

}  // namespace forge::models::cuda
