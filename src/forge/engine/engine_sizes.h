// How much an engine takes of a machine: options with their zeros filled in.
#pragma once

#include "forge/base/result.h"
#include "forge/engine.h"
#include "forge/models/decoder.h"
#include "forge/models/model.h"

namespace forge::engine {

/// Everything an engine's parts are made with.
struct EngineSizes {
  EngineInfo info;
  models::DecoderOptions decoder;
};

/// Tokens of the largest step, unless more sequences than that decode.
[[nodiscard]] int32_t default_step_tokens(const models::BackendOptions& backend);

/// Chooses what the options leave open, and checks all of it: ranges, names, and the memory plan.
///  - context_len: the model's.
///  - max_sequences: up to 512, as long as their logits take at most 64 MiB.
///  - kv_cache_tokens: every sequence's whole context, but at most half of the memory that is left
///    beside the weights (all of an NVIDIA device's), and at least one context.
[[nodiscard]] Result<EngineSizes> choose_sizes(const models::Model& model,
                                               const EngineOptions& options);

}  // namespace forge::engine
