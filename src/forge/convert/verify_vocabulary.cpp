#include "forge/convert/verify_vocabulary.h"

#include <string_view>
#include <utility>
#include <vector>

#include "forge/engine/gguf_vocabulary.h"
#include "forge/text/chat_template.h"
#include "forge/text/tokenizer.h"

namespace forge::convert {
namespace {

/// Fails unless decode(encode(text)) is the text, for plain text in several scripts.
Status check_round_trip(const std::string& path, const text::Tokenizer& tokenizer) {
  constexpr std::string_view kText = "The sea is 12 m deep.";
  const std::vector<int32_t> ids = tokenizer.encode(kText);
  for (const int32_t id : ids) {
    if (id >= 0 && id < tokenizer.vocab_size()) continue;
    return make_error("{}: the tokenizer gives id {} for \"{}\", but has {} tokens", path, id,
                      kText, tokenizer.vocab_size());
  }
  const std::string again = tokenizer.decode(ids, {.skip_special = true});
  if (again != kText) {
    return make_error("{}: the tokenizer turns \"{}\" into \"{}\"", path, kText, again);
  }
  return {};
}

Result<std::string> check(const std::string& path, const text::Tokenizer& tokenizer,
                          const models::ModelSpec& spec, VocabularyReport& report) {
  const int32_t n = tokenizer.vocab_size();
  const auto name_of = [&](std::optional<int32_t> id) {
    return id ? std::string(tokenizer.piece(*id)) : std::string();
  };
  const auto exists = [&](std::string_view what, std::optional<int32_t> id) -> Status {
    if (!id || (*id >= 0 && *id < n && !tokenizer.piece(*id).empty())) return {};
    return make_error("{}: the {} token is {}, which the tokenizer does not have", path, what, *id);
  };
  FORGE_TRY_STATUS(exists("BOS", tokenizer.bos_id()));
  FORGE_TRY_STATUS(exists("EOS", tokenizer.eos_id()));
  FORGE_TRY_STATUS(exists("first", spec.bos_id));
  for (const int32_t id : spec.eos_ids) FORGE_TRY_STATUS(exists("last", id));
  FORGE_TRY_STATUS(check_round_trip(path, tokenizer));
  report.chat_template = tokenizer.chat_template();
  report.bos_token = name_of(tokenizer.bos_id());
  report.eos_token = name_of(tokenizer.eos_id());
  return fmt::format("{}, {} tokens for {} embeddings", tokenizer.description(), n,
                     spec.vocab_size);
}

}  // namespace

Result<std::string> check_gguf_vocabulary(const formats::GgufFile& file,
                                          const models::ModelSpec& spec, VocabularyReport& report) {
  FORGE_TRY(text::GgufVocabulary vocabulary, engine::read_gguf_vocabulary(file));
  const auto n = static_cast<int64_t>(vocabulary.tokens.size());
  if (n != spec.vocab_size) {
    return make_error("{}: tokenizer.ggml.tokens: {} tokens, but the embedding has {} rows",
                      file.path(), n, spec.vocab_size);
  }
  for (const int32_t id : vocabulary.end_of_generation_ids) {
    if (id >= 0 && id < n) continue;
    return make_error("{}: a token that ends a text is {}, but there are {} tokens", file.path(),
                      id, n);
  }
  if (vocabulary.padding_id && *vocabulary.padding_id >= n) {
    return make_error("{}: tokenizer.ggml.padding_token_id: {}, but there are {} tokens",
                      file.path(), *vocabulary.padding_id, n);
  }
  FORGE_TRY(const text::Tokenizer tokenizer,
            text::Tokenizer::from_gguf(std::move(vocabulary), file.path()));
  return check(file.path(), tokenizer, spec, report);
}

Result<std::string> check_folder_vocabulary(const std::string& folder,
                                            const models::ModelSpec& spec,
                                            VocabularyReport& report) {
  FORGE_TRY(const text::Tokenizer tokenizer, text::Tokenizer::load_folder(folder));
  if (tokenizer.vocab_size() > spec.vocab_size) {
    return make_error("{}: the tokenizer has {} tokens, the model only {} embeddings", folder,
                      tokenizer.vocab_size(), spec.vocab_size);
  }
  return check(folder, tokenizer, spec, report);
}

Result<std::string> check_chat_template(const std::string& path, const VocabularyReport& report) {
  if (!report.chat_template) return std::string("none");
  FORGE_TRY(const text::ChatTemplate compiled,
            text::ChatTemplate::compile(*report.chat_template, path + ": chat template"));
  const json::Document messages = text::to_json({{"user", "Hello"}});
  text::ChatInput input;
  input.messages = messages.root();
  input.bos_token = report.bos_token;
  input.eos_token = report.eos_token;
  FORGE_TRY(const std::string prompt, compiled.render(input));
  if (prompt.find("Hello") == std::string::npos) {
    return make_error("{}: chat template: leaves out what the user says", path);
  }
  return fmt::format("{} characters, writes a conversation", report.chat_template->size());
}

}  // namespace forge::convert
