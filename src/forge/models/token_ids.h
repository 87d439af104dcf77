// BOS and end-of-text ids, which steer generation and not the maths.
#pragma once

#include <string>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/models/model_spec.h"

namespace forge::models {

/// Fills bos_id and eos_ids from generation_config.json where it has them, else from config.json
/// (eos_token_id is one id or a list). Ids outside the vocabulary become notes: some files say -1
/// for "none". generation may be missing.
[[nodiscard]] Status read_hf_token_ids(const json::Value& config, const json::Value& generation,
                                       const std::string& folder, ModelSpec& spec);

/// The same from tokenizer.ggml.bos_token_id and the eos, eot and eom ids.
void read_gguf_token_ids(const formats::GgufFile& file, ModelSpec& spec);

}  // namespace forge::models
