#include "forge/text/load/tokenizer_config.h"

#include <charconv>
#include <filesystem>

#include "forge/base/json.h"
#include "forge/base/mapped_file.h"
#include "forge/text/load/json_fields.h"
#include "forge/text/load/limits.h"

namespace forge::text {
namespace {

constexpr size_t kMaxTemplateBytes = 16 * 1024 * 1024;

bool exists(const std::string& path) {
  std::error_code code;
  return std::filesystem::exists(path, code);
}

// A special token is a string, an object with "content", or null.
Status read_token(const JsonObject& root, std::string_view key, std::optional<std::string>& token) {
  const json::Value member = root.value.find(key);
  if (token || member.is_missing() || member.is_null()) return {};
  const auto text = member.is_object() ? member.find("content").as_string() : member.as_string();
  if (!text) return root.unexpected(key, "a string, an object with content, or null");
  token = std::string(*text);
  return {};
}

Status read_special_tokens(const JsonObject& root, TokenizerConfig& config) {
  if (root.value.find("bos_token").is_null()) config.has_null_bos = true;
  if (!config.has_null_bos) FORGE_TRY_STATUS(read_token(root, "bos_token", config.bos_token));
  FORGE_TRY_STATUS(read_token(root, "eos_token", config.eos_token));
  return read_token(root, "unk_token", config.unk_token);
}

Result<AddedToken> read_decoder_entry(const JsonObject& entry, std::string_view key) {
  AddedToken token;
  const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), token.id);
  if (code != std::errc() || end != key.data() + key.size() || token.id < 0 ||
      token.id > kMaxTokenId) {
    return make_error("{}: key \"{}\", expected a token id up to {}", entry.where, key,
                      kMaxTokenId);
  }
  FORGE_TRY(const std::string_view content, entry.string("content"));
  token.content = std::string(content);
  FORGE_TRY(token.single_word, entry.boolean("single_word", false));
  FORGE_TRY(token.lstrip, entry.boolean("lstrip", false));
  FORGE_TRY(token.rstrip, entry.boolean("rstrip", false));
  FORGE_TRY(token.is_special, entry.boolean("special", false));
  FORGE_TRY(token.is_normalized, entry.boolean("normalized", !token.is_special));
  return token;
}

Status read_added_tokens_decoder(const JsonObject& root, TokenizerConfig& config) {
  const json::Value table = root.value.find("added_tokens_decoder");
  if (table.is_missing() || table.is_null()) return {};
  if (!table.is_object()) return root.unexpected("added_tokens_decoder", "an object");
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string_view key = table.key_at(i);
    const JsonObject entry{table.member_at(i),
                           fmt::format("{}.{}", root.path_of("added_tokens_decoder"), key)};
    FORGE_TRY(AddedToken token, read_decoder_entry(entry, key));
    config.added_tokens.push_back(std::move(token));
  }
  return {};
}

// A string, or a list of {"name", "template"} of which "default" is meant.
Status read_chat_template(const JsonObject& root, TokenizerConfig& config) {
  const json::Value member = root.value.find("chat_template");
  if (config.chat_template || member.is_missing() || member.is_null()) return {};
  if (const auto text = member.as_string()) {
    config.chat_template = std::string(*text);
    return {};
  }
  if (!member.is_array()) return root.unexpected("chat_template", "a string or an array");
  for (size_t i = 0; i < member.size(); ++i) {
    const JsonObject entry = root.element("chat_template", member, i);
    FORGE_TRY(const std::string_view name, entry.string("name"));
    FORGE_TRY(const std::string_view text, entry.string("template"));
    if (name == "default") config.chat_template = std::string(text);
  }
  return {};
}

Status read_main_file(const JsonObject& root, TokenizerConfig& config) {
  FORGE_TRY(config.tokenizer_class, root.optional_string("tokenizer_class"));
  FORGE_TRY(config.add_bos, root.optional_boolean("add_bos_token"));
  FORGE_TRY(config.add_eos, root.optional_boolean("add_eos_token"));
  FORGE_TRY(config.add_prefix_space, root.optional_boolean("add_prefix_space"));
  FORGE_TRY(config.legacy, root.optional_boolean("legacy"));
  FORGE_TRY_STATUS(read_special_tokens(root, config));
  FORGE_TRY_STATUS(read_added_tokens_decoder(root, config));
  return read_chat_template(root, config);
}

// added_tokens.json: {"<|end|>": 32007}.
Status read_added_tokens_file(const JsonObject& root, TokenizerConfig& config) {
  for (size_t i = 0; i < root.value.size(); ++i) {
    AddedToken token{.content = std::string(root.value.key_at(i))};
    const auto id = root.value.member_at(i).as_int();
    if (!id || *id < 0 || *id > kMaxTokenId) {
      return make_error("{}: {}, expected a token id up to {}", root.path_of(token.content),
                        root.value.member_at(i).dump(), kMaxTokenId);
    }
    token.id = static_cast<int32_t>(*id);
    token.is_normalized = true;
    bool is_known = false;
    for (const AddedToken& known : config.added_tokens) is_known |= known.id == token.id;
    if (!is_known) config.added_tokens.push_back(std::move(token));
  }
  return {};
}

// Runs read on a file's object, where the file is there.
template <typename Read>
Status with_file(const std::string& path, TokenizerConfig& config, Read read) {
  if (!exists(path)) return {};
  FORGE_TRY(const json::Document document, json::Document::load(path));
  const JsonObject root{document.root(), path + ":"};
  if (!root.value.is_object()) {
    return make_error("{}: {}, expected an object", path, kind_name(root.value));
  }
  return read(root, config);
}

}  // namespace

Result<TokenizerConfig> load_tokenizer_config(const std::string& folder) {
  TokenizerConfig config;
  const std::string main_file = folder + "/tokenizer_config.json";
  if (exists(main_file)) config.path = main_file;
  if (const std::string path = folder + "/chat_template.jinja"; exists(path)) {
    FORGE_TRY(config.chat_template, read_file(path, kMaxTemplateBytes));
  }
  FORGE_TRY_STATUS(with_file(folder + "/chat_template.json", config, read_chat_template));
  FORGE_TRY_STATUS(with_file(main_file, config, read_main_file));
  FORGE_TRY_STATUS(with_file(folder + "/special_tokens_map.json", config, read_special_tokens));
  FORGE_TRY_STATUS(with_file(folder + "/added_tokens.json", config, read_added_tokens_file));
  return config;
}

}  // namespace forge::text
