#include "forge/text/load/pipeline_json.h"

#include <utility>

#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

Error unknown_type(const JsonObject& object, std::string_view type) {
  return make_error("{}: type \"{}\" is not supported", object.where, type);
}

Status flatten_into(const JsonObject& object, std::string_view list_key,
                    std::vector<JsonObject>& out) {
  FORGE_TRY(const std::string_view type, object.string("type"));
  if (type != "Sequence") {
    out.push_back(object);
    return {};
  }
  FORGE_TRY(const json::Value list, object.array(list_key));
  for (size_t i = 0; i < list.size(); ++i) {
    FORGE_TRY_STATUS(flatten_into(object.element(list_key, list, i), list_key, out));
  }
  return {};
}

Result<std::unique_ptr<Normalizer>> read_normalizer(const JsonObject& object) {
  FORGE_TRY(const std::string_view type, object.string("type"));
  if (type == "NFC") return make_unicode_normalizer(NormalForm::kNfc);
  if (type == "NFD") return make_unicode_normalizer(NormalForm::kNfd);
  if (type == "NFKC") return make_unicode_normalizer(NormalForm::kNfkc);
  if (type == "NFKD") return make_unicode_normalizer(NormalForm::kNfkd);
  if (type == "Lowercase") return make_lowercase();
  if (type == "ByteLevel") return make_byte_level_normalizer();
  if (type == "Strip") {
    FORGE_TRY(const bool left, object.boolean("strip_left"));
    FORGE_TRY(const bool right, object.boolean("strip_right"));
    return make_strip(left, right);
  }
  if (type == "Prepend") {
    FORGE_TRY(const std::string_view prefix, object.string("prepend"));
    return make_prepend(std::string(prefix));
  }
  if (type == "Replace") {
    FORGE_TRY(TextPattern pattern, read_pattern(object));
    FORGE_TRY(const std::string_view content, object.string("content"));
    if (pattern.literal) return make_replace(*pattern.literal, std::string(content));
    return make_replace(std::move(*pattern.regex), std::string(content));
  }
  return unknown_type(object, type);
}

Result<SplitBehavior> read_behavior(const JsonObject& object,
                                    std::optional<SplitBehavior> fallback = std::nullopt) {
  if (object.value.find("behavior").is_missing() && fallback) return *fallback;
  FORGE_TRY(const std::string_view name, object.string("behavior"));
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return make_error("{}.behavior: \"{}\" is not supported", object.where, name);
}

Result<std::unique_ptr<PreTokenizer>> read_split(const JsonObject& object) {
  FORGE_TRY(TextPattern pattern, read_pattern(object));
  FORGE_TRY(const SplitBehavior behavior, read_behavior(object));
  FORGE_TRY(const bool is_inverted, object.boolean("invert", false));
  if (pattern.literal) return make_split(*pattern.literal, behavior, is_inverted);
  return make_split(std::move(*pattern.regex), behavior, is_inverted);
}

Result<std::string> read_replacement(const JsonObject& object) {
  FORGE_TRY(const std::string_view replacement, object.string("replacement"));
  if (replacement.empty() || utf8_length(replacement[0]) != replacement.size()) {
    return make_error("{}.replacement: \"{}\", expected one character", object.where, replacement);
  }
  return std::string(replacement);
}

Result<std::unique_ptr<PreTokenizer>> read_pre_tokenizer(const JsonObject& object, bool is_last) {
  FORGE_TRY(const std::string_view type, object.string("type"));
  if (type == "ByteLevel") {
    ByteLevelOptions options{.is_raw = is_last};
    FORGE_TRY(options.add_prefix_space, object.boolean("add_prefix_space"));
    FORGE_TRY(options.use_regex, object.boolean("use_regex", true));
    return make_byte_level(options);
  }
  if (type == "Split") return read_split(object);
  if (type == "Digits") {
    FORGE_TRY(const bool is_individual, object.boolean("individual_digits", false));
    return make_split(is_numeric,
                      is_individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
  }
  if (type == "Metaspace") {
    FORGE_TRY(std::string replacement, read_replacement(object));
    FORGE_TRY(const PrefixSpace prefix, read_prepend_scheme(object));
    FORGE_TRY(const bool is_split, object.boolean("split", true));
    return make_metaspace(std::move(replacement), prefix, is_split);
  }
  if (type == "Punctuation") {
    FORGE_TRY(const SplitBehavior behavior, read_behavior(object, SplitBehavior::kIsolated));
    return make_split(is_punctuation, behavior);
  }
  if (type == "WhitespaceSplit") return make_split(is_white_space, SplitBehavior::kRemoved);
  if (type == "Whitespace") return make_word_split();
  if (type == "CharDelimiterSplit") {
    FORGE_TRY(const std::string_view delimiter, object.string("delimiter"));
    if (delimiter.empty()) return make_error("{}.delimiter: empty", object.where);
    return make_split(std::string(delimiter), SplitBehavior::kRemoved, false);
  }
  return unknown_type(object, type);
}

Result<std::unique_ptr<Decoder>> read_decoder(const JsonObject& object) {
  FORGE_TRY(const std::string_view type, object.string("type"));
  if (type == "ByteLevel") return make_byte_level_decoder();
  if (type == "ByteFallback") return make_byte_fallback_decoder();
  if (type == "Fuse") return make_fuse_decoder();
  if (type == "Metaspace") {
    FORGE_TRY(std::string replacement, read_replacement(object));
    FORGE_TRY(const PrefixSpace prefix, read_prepend_scheme(object));
    return make_metaspace_decoder(std::move(replacement), prefix != PrefixSpace::kNever);
  }
  if (type == "Strip") {
    constexpr int32_t kMost = 1 << 20;
    FORGE_TRY(const std::string_view content, object.string("content"));
    FORGE_TRY(const int32_t start, object.index("start", kMost));
    FORGE_TRY(const int32_t stop, object.index("stop", kMost));
    if (content.empty()) return make_error("{}.content: empty", object.where);
    return make_strip_decoder(std::string(content), static_cast<size_t>(start),
                              static_cast<size_t>(stop));
  }
  if (type == "Replace") {
    FORGE_TRY(TextPattern pattern, read_pattern(object));
    FORGE_TRY(const std::string_view content, object.string("content"));
    if (pattern.literal) return make_replace_decoder(*pattern.literal, std::string(content));
    return make_replace_decoder(std::move(*pattern.regex), std::string(content));
  }
  return unknown_type(object, type);
}

}  // namespace

Result<std::vector<JsonObject>> flatten_sequence(const JsonObject& root, std::string_view key,
                                                 std::string_view list_key) {
  std::vector<JsonObject> out;
  const json::Value member = root.value.find(key);
  if (member.is_missing() || member.is_null()) return out;
  FORGE_TRY(const JsonObject object, root.object(key));
  FORGE_TRY_STATUS(flatten_into(object, list_key, out));
  return out;
}

Result<TextPattern> read_pattern(const JsonObject& owner) {
  FORGE_TRY(const JsonObject object, owner.object("pattern"));
  const auto literal = object.value.find("String").as_string();
  const auto regex = object.value.find("Regex").as_string();
  if ((!literal && !regex) || (literal && literal->empty()) || (regex && regex->empty())) {
    return make_error("{}: {}, expected {{\"String\": text}} or {{\"Regex\": pattern}}",
                      object.where, object.value.dump());
  }
  TextPattern pattern;
  if (literal) {
    pattern.literal = std::string(*literal);
  } else {
    FORGE_TRY(pattern.regex, Regex::compile(*regex, object.where));
  }
  return pattern;
}

Result<PrefixSpace> read_prepend_scheme(const JsonObject& metaspace) {
  FORGE_TRY(const auto scheme, metaspace.optional_string("prepend_scheme"));
  FORGE_TRY(const auto add_prefix_space, metaspace.optional_boolean("add_prefix_space"));
  if (!scheme) {
    return add_prefix_space.value_or(true) ? PrefixSpace::kAlways : PrefixSpace::kNever;
  }
  if (*scheme == "never") return PrefixSpace::kNever;
  if (add_prefix_space == false) {
    return make_error("{}: prepend_scheme \"{}\" contradicts add_prefix_space false",
                      metaspace.where, *scheme);
  }
  if (*scheme == "always") return PrefixSpace::kAlways;
  if (*scheme == "first") return PrefixSpace::kFirst;
  return make_error("{}.prepend_scheme: \"{}\", expected first, always or never", metaspace.where,
                    *scheme);
}

Result<NormalizerChain> read_normalizers(const JsonObject& root) {
  FORGE_TRY(const auto objects, flatten_sequence(root, "normalizer", "normalizers"));
  NormalizerChain chain;
  for (const JsonObject& object : objects) {
    FORGE_TRY(auto normalizer, read_normalizer(object));
    chain.push_back(std::move(normalizer));
  }
  return chain;
}

Result<PreTokenizers> read_pre_tokenizers(const JsonObject& root) {
  FORGE_TRY(const auto objects, flatten_sequence(root, "pre_tokenizer", "pretokenizers"));
  PreTokenizers result;
  for (const JsonObject& object : objects) {
    const bool is_last = &object == &objects.back();
    FORGE_TRY(auto pre_tokenizer, read_pre_tokenizer(object, is_last));
    result.chain.push_back(std::move(pre_tokenizer));
    result.gives_bytes = is_last && object.value.find("type").as_string() == "ByteLevel";
  }
  return result;
}

Result<DecoderChain> read_decoders(const JsonObject& root) {
  FORGE_TRY(const auto objects, flatten_sequence(root, "decoder", "decoders"));
  DecoderChain chain;
  for (const JsonObject& object : objects) {
    FORGE_TRY(auto decoder, read_decoder(object));
    chain.push_back(std::move(decoder));
  }
  if (chain.empty()) chain.push_back(make_join_decoder());
  return chain;
}

}  // namespace forge::text
