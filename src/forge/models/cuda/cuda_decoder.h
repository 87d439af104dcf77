// The decoder on an NVIDIA device.
//
// Linked in one of three ways: with the CUDA runtime, with the tests' stand-in for it, or as
// models/cuda/none, which answers that this build has no CUDA.
#pragma once

#include <cstdint>
#include <memory>

#include "forge/base/result.h"
#include "forge/models/decoder_backend.h"

namespace forge::models::cuda {

/// Brings the weights to options.backend.cuda_device and allocates everything there. The model must
/// outlive the decoder. Fails where the device cannot be used or has no memory, and on what the
/// backend does not do (a cache type, a head dimension), naming it.
[[nodiscard]] Result<std::unique_ptr<DecoderBackend>> make_cuda_decoder(
    const Model& model, const DecoderOptions& options);

/// Bytes on the device that make_cuda_decoder() will allocate.
[[nodiscard]] int64_t cuda_weight_bytes(const Model& model, const DecoderOptions& options);
[[nodiscard]] int64_t cuda_workspace_bytes(const Model& model, const DecoderOptions& options);
/// Of keys and values of one token, all layers.
[[nodiscard]] int64_t cuda_kv_bytes_per_token(const ModelSpec& spec, const DecoderOptions& options);

}  // namespace forge::models::cuda
