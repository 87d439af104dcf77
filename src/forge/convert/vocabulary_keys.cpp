#include "forge/convert/vocabulary_keys.h"

#include <optional>
#include <string_view>
#include <utility>

#include "forge/text/load/gguf_export.h"

namespace forge::convert {
namespace {

void put_id(formats::GgufWriter& writer, std::string_view name, std::optional<int32_t> id) {
  if (!id) return;
  writer.put_uint32(fmt::format("tokenizer.ggml.{}_token_id", name), static_cast<uint32_t>(*id));
}

}  // namespace

Result<std::vector<std::string>> put_vocabulary_keys(const std::string& folder,
                                                     const models::ModelSpec& spec,
                                                     const std::vector<int32_t>& end_ids,
                                                     formats::GgufWriter& writer) {
  FORGE_TRY(text::GgufExport exported, text::export_gguf_vocabulary(folder, spec.vocab_size));
  text::GgufVocabulary& vocabulary = exported.vocabulary;
  std::vector<std::string> notes = std::move(exported.notes);
  if (!vocabulary.bos_id) vocabulary.bos_id = spec.bos_id;
  std::vector<int32_t> others = end_ids;
  if (!vocabulary.eos_id && !others.empty()) vocabulary.eos_id = others.front();
  std::erase(others, vocabulary.eos_id.value_or(-1));

  writer.put_string("tokenizer.ggml.model", vocabulary.model);
  writer.put_string("tokenizer.ggml.pre", vocabulary.pre);
  writer.put_strings("tokenizer.ggml.tokens", vocabulary.tokens);
  if (!vocabulary.scores.empty()) {
    writer.put_float32s("tokenizer.ggml.scores", vocabulary.scores);
  }
  writer.put_int32s("tokenizer.ggml.token_type", vocabulary.token_types);
  if (vocabulary.model == "gpt2") writer.put_strings("tokenizer.ggml.merges", vocabulary.merges);
  put_id(writer, "bos", vocabulary.bos_id);
  put_id(writer, "eos", vocabulary.eos_id);
  put_id(writer, "unknown", vocabulary.unknown_id);
  const auto other = [&others](size_t i) {
    return i < others.size() ? std::optional(others[i]) : std::nullopt;
  };
  // Where none is named, readers guess by the spelling of tokens: say that there is no other.
  put_id(writer, "eot", others.empty() ? vocabulary.eos_id : other(0));
  put_id(writer, "eom", other(1));
  if (others.size() > 2) {
    notes.push_back(
        fmt::format("{} tokens end a text; GGUF has names for three of them", others.size() + 1));
  }
  writer.put_bool("tokenizer.ggml.add_bos_token", vocabulary.add_bos.value_or(false));
  writer.put_bool("tokenizer.ggml.add_eos_token", vocabulary.add_eos.value_or(false));
  if (vocabulary.add_space_prefix) {
    writer.put_bool("tokenizer.ggml.add_space_prefix", *vocabulary.add_space_prefix);
  }
  if (vocabulary.chat_template) {
    writer.put_string("tokenizer.chat_template", *vocabulary.chat_template);
  }
  return notes;
}

}  // namespace forge::convert
