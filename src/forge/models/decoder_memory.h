// What a decoder will allocate, before it does.
#pragma once

#include <cstdint>

#include "forge/models/model_spec.h"

namespace forge::models {

struct DecoderOptions;
struct Model;

/// Bytes of keys and values of one token, all layers, in the options' cache.
[[nodiscard]] int64_t kv_bytes_per_token(const ModelSpec& spec, const DecoderOptions& options);
/// Bytes of the whole KV cache of a decoder with these options.
[[nodiscard]] int64_t kv_cache_bytes(const ModelSpec& spec, const DecoderOptions& options);
/// Bytes of activations, logits and whatever else a step needs.
[[nodiscard]] int64_t workspace_bytes(const Model& model, const DecoderOptions& options);
/// Bytes of the packed weights; 0 where the decoder multiplies the checkpoint's own bytes.
[[nodiscard]] int64_t packed_weight_bytes(const Model& model, const DecoderOptions& options);

}  // namespace forge::models
