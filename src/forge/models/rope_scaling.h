// The frequencies of rotary position embedding under every scaling method Forge knows.
#pragma once

#include "forge/base/result.h"
#include "forge/models/model_spec.h"
#include "forge/models/rope_config.h"

namespace forge::models {

/// Works out inv_freq and attention_scale in f32, operation for operation as transformers does (its
/// modeling_rope_utils.py); the power function may differ from PyTorch's in the last bit.
/// Fails where a number makes no sense, in words that the caller puts a file name before.
///
/// longrope has two sets of frequencies. transformers takes the long one for a whole sequence as
/// soon as it is longer than original_context, and generate() starts over with an empty cache when
/// a sequence crosses that length, so the choice is a function of the sequence's length and of
/// nothing else. (llama.cpp and vLLM choose once, by the context the server is configured for, and
/// so disagree with transformers on short prompts under a long context.) Forge follows
/// transformers: SequenceRows::use_long_rope says which set a sequence uses and the engine
/// recomputes the cache when it crosses. All keys of a sequence thus always come from one set,
/// which is what makes prefill in chunks equal prefill at once: the flag is that of the whole
/// prompt, not of the chunk.
[[nodiscard]] Result<RopeSpec> make_rope(const RopeConfig& config);

}  // namespace forge::models
