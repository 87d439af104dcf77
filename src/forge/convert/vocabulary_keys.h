// A Hugging Face folder's tokenizer as the tokenizer.* keys of GGUF.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/gguf_writer.h"
#include "forge/models/model_spec.h"

namespace forge::convert {

/// end_ids: tokens after which the model says no more. The tokenizer's EOS (else the first of
/// them) becomes eos_token_id, the next two eot_token_id and eom_token_id, which readers take for
/// the same. Returns notes on what could not be said.
[[nodiscard]] Result<std::vector<std::string>> put_vocabulary_keys(
    const std::string& folder, const models::ModelSpec& spec, const std::vector<int32_t>& end_ids,
    formats::GgufWriter& writer);

}  // namespace forge::convert
