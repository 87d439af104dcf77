#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "forge/base/json.h"
#include "forge/text/load/bpe_parts.h"
#include "forge/text/load/json_fields.h"
#include "forge/text/load/limits.h"
#include "forge/text/load/load.h"
#include "forge/text/load/pipeline_json.h"

namespace forge::text {
namespace {

// How many entries ahead the vocabulary's index is prefetched: about a memory latency's worth of
// work.
constexpr size_t kAhead = 8;

Status read_vocabulary(const JsonObject& model, Vocabulary& vocabulary) {
  FORGE_TRY(const JsonObject table, model.object("vocab"));
  size_t n_bytes = 0;
  for (size_t i = 0; i < table.value.size(); ++i) n_bytes += table.value.key_at(i).size();
  vocabulary.reserve(table.value.size() + 1024, n_bytes + 65536);
  for (size_t i = 0; i < table.value.size(); ++i) {
    if (i + kAhead < table.value.size()) vocabulary.prefetch(table.value.key_at(i + kAhead));
    const std::string_view piece = table.value.key_at(i);
    const auto id = table.value.member_at(i).as_int();
    if (!id) {
      return make_error("{}.\"{}\": {}, expected a token id", table.where, piece,
                        table.value.member_at(i).dump());
    }
    FORGE_TRY_STATUS(add_piece(vocabulary, *id, piece, table.where));
  }
  return {};
}

// "a b" or ["a", "b"].
std::optional<MergeText> merge_text(json::Value entry) {
  if (const auto line = entry.as_string()) return split_merge(*line);
  if (!entry.is_array() || entry.size() != 2) return std::nullopt;
  const auto left = entry.at(0).as_string();
  const auto right = entry.at(1).as_string();
  if (!left || !right) return std::nullopt;
  return MergeText{*left, *right};
}

Status read_merges(const JsonObject& model, BpeParts& parts) {
  FORGE_TRY(const json::Value merges, model.array("merges"));
  parts.merges = MergeTable(merges.size());
  const std::string where = model.path_of("merges");
  MergeListReader reader(parts, MergeTable::Existing::kReplace, where);
  for (size_t i = 0; i < merges.size(); ++i) {
    if (const auto ahead =
            i + kAhead < merges.size() ? merge_text(merges.at(i + kAhead)) : std::nullopt) {
      parts.vocabulary->prefetch(ahead->left);
      parts.vocabulary->prefetch(ahead->right);
    }
    const auto merge = merge_text(merges.at(i));
    if (!merge) {
      return make_error("{}[{}]: {}, expected \"a b\" or [\"a\", \"b\"]", where, i,
                        merges.at(i).dump());
    }
    FORGE_TRY_STATUS(reader.add(merge->left, merge->right));
  }
  return {};
}

// Members that change the result and are not implemented must say that they are off.
Status refuse_unsupported(const JsonObject& model) {
  const json::Value dropout = model.value.find("dropout");
  if (!dropout.is_missing() && !dropout.is_null() && dropout.as_double() != 0.0) {
    return make_error("{}.dropout: {}, expected null", model.where, dropout.dump());
  }
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    FORGE_TRY(const auto affix, model.optional_string(key));
    if (affix && !affix->empty()) {
      return make_error("{}.{}: \"{}\" is not supported, expected null or empty", model.where, key,
                        *affix);
    }
  }
  return {};
}

Result<AddedToken> read_added_token(const JsonObject& entry) {
  AddedToken token;
  FORGE_TRY(token.id, entry.index("id", kMaxTokenId));
  FORGE_TRY(const std::string_view content, entry.string("content"));
  token.content = std::string(content);
  FORGE_TRY(token.single_word, entry.boolean("single_word", false));
  FORGE_TRY(token.lstrip, entry.boolean("lstrip", false));
  FORGE_TRY(token.rstrip, entry.boolean("rstrip", false));
  FORGE_TRY(token.is_special, entry.boolean("special", false));
  FORGE_TRY(token.is_normalized, entry.boolean("normalized", !token.is_special));
  return token;
}

// The library numbers added tokens itself: an id that is in the vocabulary by content, else the
// next free one. A file whose ids differ from that would mean other tokens to it than it says.
Status place_added_token(const JsonObject& entry, const AddedToken& token, int32_t next_id,
                         Vocabulary& vocabulary) {
  const auto known = vocabulary.find(token.content);
  const int32_t expected = known.value_or(next_id);
  if (token.id != expected) {
    return make_error("{}.id: {} for \"{}\", expected {} ({})", entry.where, token.id,
                      token.content, expected,
                      known ? "its id in the vocabulary" : "the next free id");
  }
  if (known) return {};
  return add_piece(vocabulary, token.id, token.content, entry.where);
}

Status read_added_tokens(const JsonObject& root, Vocabulary& vocabulary,
                         std::vector<AddedToken>& tokens) {
  const json::Value list = root.value.find("added_tokens");
  if (list.is_missing() || list.is_null()) return {};
  if (!list.is_array()) return root.unexpected("added_tokens", "an array");
  const int32_t model_count = vocabulary.count();
  std::vector<bool> is_listed;
  int32_t largest = -1;
  for (size_t i = 0; i < list.size(); ++i) {
    const JsonObject entry = root.element("added_tokens", list, i);
    FORGE_TRY(AddedToken token, read_added_token(entry));
    if (token.content.empty()) continue;  // the library passes over them
    const int32_t next_id = std::max(model_count, largest + 1);
    FORGE_TRY_STATUS(place_added_token(entry, token, next_id, vocabulary));
    largest = std::max(largest, token.id);
    is_listed.resize(static_cast<size_t>(vocabulary.size()), false);
    if (is_listed[static_cast<size_t>(token.id)]) {
      return make_error("{}: \"{}\" is listed twice", entry.where, token.content);
    }
    is_listed[static_cast<size_t>(token.id)] = true;
    tokens.push_back(std::move(token));
  }
  return {};
}

// Tokens that only tokenizer_config.json knows are added, as transformers does.
Status add_config_tokens(const TokenizerConfig& config, Vocabulary& vocabulary,
                         std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : config.added_tokens) {
    if (token.content.empty() || vocabulary.find(token.content)) continue;
    FORGE_TRY_STATUS(
        add_piece(vocabulary, token.id, token.content, config.path + ": added_tokens_decoder"));
    tokens.push_back(token);
  }
  return {};
}

Status read_model(const JsonObject& model, const PreTokenizers& pre_tokenizers, BpeParts& parts) {
  FORGE_TRY_STATUS(refuse_unsupported(model));
  parts.symbols = pre_tokenizers.gives_bytes ? BpeSymbols::kBytes : BpeSymbols::kCharacters;
  FORGE_TRY(parts.byte_fallback, model.boolean("byte_fallback", false));
  FORGE_TRY(parts.fuse_unknown, model.boolean("fuse_unk", false));
  FORGE_TRY(parts.ignore_merges, model.boolean("ignore_merges", false));
  FORGE_TRY(const auto unknown, model.optional_string("unk_token"));
  if (unknown) {
    parts.unknown_id = parts.vocabulary->find(*unknown);
    if (!parts.unknown_id && parts.symbols == BpeSymbols::kCharacters) {
      return make_error("{}.unk_token: \"{}\" is not in the vocabulary", model.where, *unknown);
    }
  }
  return read_merges(model, parts);
}

// A model without "type" is recognised by its members, as the library does for old files.
Status check_model_type(const JsonObject& model) {
  FORGE_TRY(const auto type, model.optional_string("type"));
  if (type && *type != "BPE") {
    return make_error("{}.type: \"{}\" is not supported, expected BPE", model.where, *type);
  }
  if (!type && model.value.find("merges").is_missing()) {
    return make_error(
        "{}: neither type nor merges ({}), expected a BPE model", model.where,
        model.value.find("unk_id").is_missing() ? "WordPiece or WordLevel?" : "Unigram?");
  }
  return {};
}

}  // namespace

Result<TokenizerParts> load_tokenizer_json(const std::string& path, const TokenizerConfig& config) {
  FORGE_TRY(const json::Document document, json::Document::load(path));
  const JsonObject root{document.root(), path + ":"};
  if (!root.value.is_object()) {
    return make_error("{}: {}, expected an object", path, kind_name(root.value));
  }
  FORGE_TRY(const JsonObject model, root.object("model"));
  FORGE_TRY_STATUS(check_model_type(model));

  TokenizerParts parts;
  FORGE_TRY(parts.normalizers, read_normalizers(root));
  FORGE_TRY(PreTokenizers pre_tokenizers, read_pre_tokenizers(root));
  FORGE_TRY(parts.decoders, read_decoders(root));

  auto vocabulary = std::make_shared<Vocabulary>();
  FORGE_TRY_STATUS(read_vocabulary(model, *vocabulary));
  for (int32_t id = 0; id < vocabulary->size(); ++id) {
    parts.bpe.is_model_token.push_back(vocabulary->has(id));
  }
  FORGE_TRY_STATUS(read_added_tokens(root, *vocabulary, parts.added_tokens));
  FORGE_TRY_STATUS(add_config_tokens(config, *vocabulary, parts.added_tokens));
  parts.bpe.is_model_token.resize(static_cast<size_t>(vocabulary->size()), false);
  parts.bpe.vocabulary = vocabulary;
  FORGE_TRY_STATUS(read_model(model, pre_tokenizers, parts.bpe));
  parts.pre_tokenizers = std::move(pre_tokenizers.chain);

  // "truncation" and "padding" are per-call settings that transformers resets; encode() does
  // neither.
  FORGE_TRY(Surroundings around, read_post_processor(root, vocabulary->size()));
  parts.prefix_ids = std::move(around.prefix_ids);
  parts.suffix_ids = std::move(around.suffix_ids);
  FORGE_TRY_STATUS(set_named_tokens(parts, config));
  parts.chat_template = config.chat_template;
  parts.description = pre_tokenizers.gives_bytes ? "byte-level BPE" : "BPE over characters";
  if (parts.bpe.byte_fallback) parts.description = "BPE with byte fallback (SentencePiece style)";
  parts.description += " from tokenizer.json";
  return parts;
}

}  // namespace forge::text
