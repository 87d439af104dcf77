#include "forge/engine/gguf_vocabulary.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace forge::engine {
namespace {

/// Reads keys of one file; a key of the wrong type is an error, a missing one is nothing.
class KeyReader {
 public:
  explicit KeyReader(const formats::GgufFile& file) : file_(file) {}

  [[nodiscard]] Result<std::optional<std::string>> text(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::optional<std::string>();
    const auto text = value->as_string();
    if (!text) return wrong(key, *value, "a string");
    return std::optional<std::string>(std::string(*text));
  }

  [[nodiscard]] Result<std::optional<int32_t>> token_id(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::optional<int32_t>();
    const auto id = value->as_int();
    // Some converters write "none" as all ones.
    if (id && (*id == -1 || *id == std::numeric_limits<uint32_t>::max())) {
      return std::optional<int32_t>();
    }
    if (!id || *id < 0 || *id > std::numeric_limits<int32_t>::max()) {
      return wrong(key, *value, "a token id");
    }
    return std::optional<int32_t>(static_cast<int32_t>(*id));
  }

  [[nodiscard]] Result<std::optional<bool>> flag(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::optional<bool>();
    const auto flag = value->as_bool();
    if (!flag) return wrong(key, *value, "true or false");
    return flag;
  }

  [[nodiscard]] Result<std::vector<std::string>> strings(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::vector<std::string>();
    const auto views = value->as_strings();
    if (!views) return wrong(key, *value, "an array of strings");
    return std::vector<std::string>(views->begin(), views->end());
  }

  [[nodiscard]] Result<std::vector<float>> floats(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::vector<float>();
    const auto numbers = value->as_doubles();
    if (!numbers) return wrong(key, *value, "an array of numbers");
    std::vector<float> result;
    result.reserve(numbers->size());
    for (const double number : *numbers) result.push_back(static_cast<float>(number));
    return result;
  }

  [[nodiscard]] Result<std::vector<int32_t>> types(std::string_view key) const {
    const formats::GgufValue* value = file_.find(key);
    if (value == nullptr) return std::vector<int32_t>();
    const auto numbers = value->as_ints();
    if (!numbers) return wrong(key, *value, "an array of integers");
    std::vector<int32_t> result;
    result.reserve(numbers->size());
    for (const int64_t number : *numbers) {
      if (number < 0 || number > 255) {
        return make_error("{}: {}: token type {}, expected 1 to 6", file_.path(), key, number);
      }
      result.push_back(static_cast<int32_t>(number));
    }
    return result;
  }

  [[nodiscard]] Error missing(std::string_view key) const {
    return make_error("{}: no key {}: the file holds no tokenizer Forge can use", file_.path(),
                      key);
  }

 private:
  [[nodiscard]] Error wrong(std::string_view key, const formats::GgufValue& value,
                            std::string_view expected) const {
    return make_error("{}: {}: found {}, expected {}", file_.path(), key, value.to_string(),
                      expected);
  }

  const formats::GgufFile& file_;
};

/// Tokens that end a turn or a text, by the names models give them. Only for files that name none
/// of their own: converters older than the eot key dropped what generation_config.json says.
constexpr std::string_view kEndTokenNames[] = {
    "<|eot_id|>",    "<|eom_id|>",      "<|im_end|>",    "<|end|>",
    "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>", "<EOT>",
};

std::vector<int32_t> end_tokens_by_name(const text::GgufVocabulary& vocabulary) {
  constexpr int32_t kControl = 3;
  std::vector<int32_t> ids;
  const size_t n = std::min(vocabulary.tokens.size(), vocabulary.token_types.size());
  for (size_t id = 0; id < n; ++id) {
    if (vocabulary.token_types[id] != kControl) continue;
    for (const std::string_view name : kEndTokenNames) {
      if (vocabulary.tokens[id] == name) ids.push_back(static_cast<int32_t>(id));
    }
  }
  return ids;
}

}  // namespace

Result<text::GgufVocabulary> read_gguf_vocabulary(const formats::GgufFile& file) {
  const KeyReader keys(file);
  text::GgufVocabulary vocabulary;
  FORGE_TRY(const std::optional<std::string> model, keys.text("tokenizer.ggml.model"));
  if (!model) return keys.missing("tokenizer.ggml.model");
  vocabulary.model = *model;
  FORGE_TRY(const std::optional<std::string> pre, keys.text("tokenizer.ggml.pre"));
  vocabulary.pre = pre.value_or("");
  FORGE_TRY(vocabulary.tokens, keys.strings("tokenizer.ggml.tokens"));
  if (vocabulary.tokens.empty()) return keys.missing("tokenizer.ggml.tokens");
  FORGE_TRY(vocabulary.scores, keys.floats("tokenizer.ggml.scores"));
  FORGE_TRY(vocabulary.token_types, keys.types("tokenizer.ggml.token_type"));
  FORGE_TRY(vocabulary.merges, keys.strings("tokenizer.ggml.merges"));
  FORGE_TRY(vocabulary.bos_id, keys.token_id("tokenizer.ggml.bos_token_id"));
  FORGE_TRY(vocabulary.eos_id, keys.token_id("tokenizer.ggml.eos_token_id"));
  FORGE_TRY(vocabulary.unknown_id, keys.token_id("tokenizer.ggml.unknown_token_id"));
  FORGE_TRY(vocabulary.padding_id, keys.token_id("tokenizer.ggml.padding_token_id"));
  FORGE_TRY(vocabulary.add_bos, keys.flag("tokenizer.ggml.add_bos_token"));
  FORGE_TRY(vocabulary.add_eos, keys.flag("tokenizer.ggml.add_eos_token"));
  FORGE_TRY(vocabulary.add_space_prefix, keys.flag("tokenizer.ggml.add_space_prefix"));
  FORGE_TRY(vocabulary.chat_template, keys.text("tokenizer.chat_template"));
  for (const std::string_view key :
       {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    FORGE_TRY(const std::optional<int32_t> id, keys.token_id(key));
    if (id) vocabulary.end_of_generation_ids.push_back(*id);
  }
  if (vocabulary.end_of_generation_ids.empty()) {
    vocabulary.end_of_generation_ids = end_tokens_by_name(vocabulary);
  }
  return vocabulary;
}

}  // namespace forge::engine
