// What Tokenizer and Detokenizer share.
#pragma once

#include <vector>

#include "forge/text/tokenizer.h"
#include "forge/text/tokenizer_parts.h"

namespace forge::text {

struct Tokenizer::State {
  explicit State(TokenizerParts parts);

  TokenizerParts parts;  // bpe and added_tokens have moved on into the next two
  BpeModel model;
  AddedTokens added;
  std::vector<bool> is_special;  // by id
  mutable WordCachePool caches;  // locks itself

  [[nodiscard]] bool has_special(int32_t id) const {
    return id >= 0 && static_cast<size_t>(id) < is_special.size() &&
           is_special[static_cast<size_t>(id)];
  }
};

}  // namespace forge::text
