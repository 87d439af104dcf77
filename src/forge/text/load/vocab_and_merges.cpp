#include <array>
#include <memory>
#include <string>
#include <utility>

#include "forge/base/json.h"
#include "forge/base/mapped_file.h"
#include "forge/text/load/bpe_parts.h"
#include "forge/text/load/json_fields.h"
#include "forge/text/load/load.h"
#include "forge/text/load/patterns.h"

namespace forge::text {
namespace {

// vocab.json and merges.txt say nothing about pre-tokenizing; the class that reads them does.
struct ClassPreTokenizer {
  std::string_view tokenizer_class;
  std::string_view pre;
};
constexpr std::array<ClassPreTokenizer, 3> kClasses = {
    {{"GPT2Tokenizer", "gpt-2"}, {"CodeGenTokenizer", "gpt-2"}, {"Qwen2Tokenizer", "qwen2"}}};

Result<std::string_view> pre_tokenizer_for(const TokenizerConfig& config,
                                           const std::string& folder) {
  std::string_view name = config.tokenizer_class ? std::string_view(*config.tokenizer_class)
                                                 : std::string_view("GPT2Tokenizer");
  if (name.ends_with("Fast")) name.remove_suffix(4);
  for (const ClassPreTokenizer& known : kClasses) {
    if (known.tokenizer_class == name) return known.pre;
  }
  return make_error("{}: tokenizer_class \"{}\" without tokenizer.json is not supported", folder,
                    name);
}

Status read_merges(const std::string& path, BpeParts& parts) {
  FORGE_TRY(const MappedFile file, MappedFile::open(path));
  std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  MergeListReader reader(parts, MergeTable::Existing::kReplace, path);
  for (int line_number = 1; !rest.empty(); ++line_number) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("#version") || (line.empty() && rest.empty())) continue;
    const auto merge = split_merge(line);
    if (!merge) {
      return make_error("{}: line {}: \"{}\", expected \"left right\"", path, line_number, line);
    }
    FORGE_TRY_STATUS(reader.add(merge->left, merge->right));
  }
  return {};
}

Status read_vocabulary(const std::string& path, Vocabulary& vocabulary) {
  FORGE_TRY(const json::Document document, json::Document::load(path));
  const json::Value table = document.root();
  if (!table.is_object()) {
    return make_error("{}: {}, expected an object", path, kind_name(table));
  }
  vocabulary.reserve(table.size() + 1024, 10 * table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    const auto id = table.member_at(i).as_int();
    if (!id) {
      return make_error("{}: \"{}\": {}, expected a token id", path, table.key_at(i),
                        table.member_at(i).dump());
    }
    FORGE_TRY_STATUS(add_piece(vocabulary, *id, table.key_at(i), path));
  }
  return {};
}

// The config's tokens, and GPT-2's one special token where there is no config.
Status read_added_tokens(const TokenizerConfig& config, Vocabulary& vocabulary,
                         std::vector<AddedToken>& tokens) {
  for (const AddedToken& token : config.added_tokens) {
    if (token.content.empty()) continue;
    const auto known = vocabulary.find(token.content);
    if (known && *known != token.id) {
      return make_error("{}: added_tokens_decoder: id {} for \"{}\", which is {} in vocab.json",
                        config.path, token.id, token.content, *known);
    }
    if (!known) {
      FORGE_TRY_STATUS(
          add_piece(vocabulary, token.id, token.content, config.path + ": added_tokens_decoder"));
    }
    tokens.push_back(token);
  }
  const std::string_view end_of_text = "<|endoftext|>";
  if (const auto id = vocabulary.find(end_of_text); id && tokens.empty()) {
    tokens.push_back({.content = std::string(end_of_text), .id = *id, .is_special = true});
  }
  return {};
}

}  // namespace

Result<TokenizerParts> load_vocab_and_merges(const std::string& folder,
                                             const TokenizerConfig& config) {
  FORGE_TRY(const std::string_view pre, pre_tokenizer_for(config, folder));
  TokenizerParts parts;
  auto vocabulary = std::make_shared<Vocabulary>();
  FORGE_TRY_STATUS(read_vocabulary(folder + "/vocab.json", *vocabulary));
  for (int32_t id = 0; id < vocabulary->size(); ++id) {
    parts.bpe.is_model_token.push_back(vocabulary->has(id));
  }
  FORGE_TRY_STATUS(read_added_tokens(config, *vocabulary, parts.added_tokens));
  parts.bpe.is_model_token.resize(static_cast<size_t>(vocabulary->size()), false);
  parts.bpe.vocabulary = vocabulary;
  parts.bpe.symbols = BpeSymbols::kBytes;
  FORGE_TRY_STATUS(read_merges(folder + "/merges.txt", parts.bpe));
  FORGE_TRY(const PreTokenizerTraits traits, add_pre_tokenizer(pre, folder, parts));
  parts.bpe.ignore_merges = traits.ignores_merges;
  FORGE_TRY_STATUS(set_named_tokens(parts, config));
  if (!parts.bos_id && config.path.empty()) parts.bos_id = vocabulary->find("<|endoftext|>");
  if (!parts.eos_id && config.path.empty()) parts.eos_id = vocabulary->find("<|endoftext|>");
  if (config.add_bos.value_or(false) && parts.bos_id) parts.prefix_ids = {*parts.bos_id};
  if (config.add_eos.value_or(false) && parts.eos_id) parts.suffix_ids = {*parts.eos_id};
  parts.chat_template = config.chat_template;
  parts.description = "byte-level BPE, " + std::string(pre) + " pre-tokenizer";
  return parts;
}

}  // namespace forge::text
