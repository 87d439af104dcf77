// Everything a tokenizer is made of, as the loaders hand it over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/text/bpe/bpe_model.h"
#include "forge/text/pipeline/added_tokens.h"
#include "forge/text/pipeline/decoder.h"
#include "forge/text/pipeline/normalizer.h"
#include "forge/text/pipeline/pre_tokenizer.h"

namespace forge::text {

/// encode: cut out added tokens, normalize what lies between, split it into pieces, encode each by
/// the model, put prefix_ids before and suffix_ids after. decode: spell the ids, run the decoders.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;  // their ids are in bpe.vocabulary
  NormalizerChain normalizers;
  PreTokenizerChain pre_tokenizers;
  BpeParts bpe;
  std::vector<int32_t> prefix_ids;  // BOS and the like, for add_special
  std::vector<int32_t> suffix_ids;
  DecoderChain decoders;

  std::optional<int32_t> bos_id;
  std::optional<int32_t> eos_id;
  std::optional<std::string> chat_template;
  std::string description;
};

}  // namespace forge::text
