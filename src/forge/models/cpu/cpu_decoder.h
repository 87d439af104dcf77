// The decoder on packed weights and the kernels of one ISA level.
#pragma once

#include <memory>

#include "forge/base/result.h"
#include "forge/models/decoder_backend.h"

namespace forge::models::cpu {

/// Packs the weights and allocates everything. The model must outlive the decoder. Fails where
/// there is no memory.
[[nodiscard]] Result<std::unique_ptr<DecoderBackend>> make_cpu_decoder(
    const Model& model, const DecoderOptions& options);

/// Bytes that make_cpu_decoder() will allocate beside the KV cache: packed weights and workspace.
[[nodiscard]] int64_t cpu_packed_bytes(const Model& model, const DecoderOptions& options);
[[nodiscard]] int64_t cpu_workspace_bytes(const Model& model, const DecoderOptions& options);

}  // namespace forge::models::cpu
