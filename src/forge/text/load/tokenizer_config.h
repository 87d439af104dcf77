// What stands beside a tokenizer's own file: tokenizer_config.json and its smaller relatives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/text/pipeline/added_tokens.h"

namespace forge::text {

/// Everything is optional; a later file of the list fills what the earlier ones leave open.
struct TokenizerConfig {
  std::string path;  // tokenizer_config.json, for errors; empty where there is none
  std::optional<std::string> tokenizer_class;
  std::optional<std::string> bos_token;
  std::optional<std::string> eos_token;
  std::optional<std::string> unk_token;
  bool has_null_bos = false;  // the file says explicitly that there is none
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
  std::optional<bool> add_prefix_space;
  std::optional<bool> legacy;
  std::vector<AddedToken> added_tokens;  // added_tokens_decoder, additional_special_tokens excluded
  std::optional<std::string> chat_template;
};

/// Reads tokenizer_config.json, special_tokens_map.json, added_tokens.json, chat_template.jinja and
/// chat_template.json of a folder, as far as they are there. A file that is there must be well
/// formed.
[[nodiscard]] Result<TokenizerConfig> load_tokenizer_config(const std::string& folder);

}  // namespace forge::text
