// What a decoder will allocate, before it does.
#pragma once

#include <cstdint>

#include "forge/models/model_spec.h"

namespace forge::models {

struct DecoderOptions;

/// Bytes of keys and values of one token, all layers (f32 cache).
[[nodiscard]] int64_t kv_bytes_per_token(const ModelSpec& spec);
/// Bytes of the whole KV cache of a decoder with these options.
[[nodiscard]] int64_t kv_cache_bytes(const ModelSpec& spec, const DecoderOptions& options);
/// Bytes of activations, logits and the norms and biases that are kept as f32.
[[nodiscard]] int64_t workspace_bytes(const ModelSpec& spec, const DecoderOptions& options);

}  // namespace forge::models
