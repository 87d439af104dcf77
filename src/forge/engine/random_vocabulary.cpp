#include "forge/engine/random_vocabulary.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/utf8.h"

namespace forge::engine {
namespace {

// Token types of GGUF.
constexpr int32_t kNormal = 1;
constexpr int32_t kUnknown = 2;
constexpr int32_t kControl = 3;
constexpr int32_t kByte = 6;

// Frequent characters first, so that short ordinary text is merged.
constexpr std::string_view kFrequent =
    "etaoinshrdlcumwfgypbvkjxqzETAOINSHRDLCUMWFGYPBVKJXQZ0123456789.,;:!?'\"-_()";

struct Pieces {
  std::vector<std::string> tokens;
  std::vector<int32_t> types;

  void add(std::string token, int32_t type) {
    tokens.push_back(std::move(token));
    types.push_back(type);
  }
  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(tokens.size()); }
};

/// Combinations of the characters, shortest first: all pairs, all triples, ... until size() is n.
/// visit(left, right) hears of each.
template <typename Visit>
void add_combinations(Pieces& pieces, const std::vector<std::string>& characters, int32_t n,
                      const Visit& visit) {
  std::vector<std::string> level = characters;
  while (true) {
    std::vector<std::string> next;
    for (const std::string& left : level) {
      for (const std::string& right : characters) {
        if (pieces.size() >= n) return;
        pieces.add(left + right, kNormal);
        next.push_back(left + right);
        visit(left, right);
      }
    }
    level = std::move(next);
  }
}

/// One printable character for each byte: those of Latin-1 that can be seen are themselves, the
/// others U+0100 and on. Source: Radford et al. 2019 (GPT-2), encoder.py.
std::array<std::string, 256> byte_characters() {
  std::array<std::string, 256> characters;
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const bool is_visible =
        (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    append_utf8(characters[byte], static_cast<char32_t>(is_visible ? byte : next++));
  }
  return characters;
}

/// The special tokens of the family, in the order of their ids, which are the last ones.
std::vector<std::string> special_tokens(const RandomModelShape& shape) {
  if (shape.pre_tokenizer == "llama-bpe") {
    std::vector<std::string> tokens = {"<|begin_of_text|>", "<|end_of_text|>"};
    for (int i = 0; i < 254; ++i) tokens.push_back(fmt::format("<|reserved_special_token_{}|>", i));
    tokens[9] = "<|eot_id|>";
    return tokens;
  }
  return {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
}

void put_ids(formats::GgufWriter& writer, int32_t bos, int32_t eos) {
  writer.put_uint32("tokenizer.ggml.bos_token_id", static_cast<uint32_t>(bos));
  writer.put_uint32("tokenizer.ggml.eos_token_id", static_cast<uint32_t>(eos));
}

void put_byte_pairs(const RandomModelShape& shape, formats::GgufWriter& writer) {
  const std::array<std::string, 256> bytes = byte_characters();
  const std::vector<std::string> specials = special_tokens(shape);
  const int32_t first_special = shape.vocab_size - static_cast<int32_t>(specials.size());
  Pieces pieces;
  for (const std::string& character : bytes) pieces.add(character, kNormal);
  std::vector<std::string> order = {bytes[' ']};
  for (const char c : kFrequent) order.push_back(bytes[static_cast<unsigned char>(c)]);
  std::vector<std::string> merges;
  add_combinations(pieces, order, first_special,
                   [&merges](const std::string& left, const std::string& right) {
                     merges.push_back(left + " " + right);
                   });
  for (const std::string& token : specials) pieces.add(token, kControl);

  const bool is_llama = shape.pre_tokenizer == "llama-bpe";
  writer.put_string("tokenizer.ggml.model", "gpt2");
  writer.put_string("tokenizer.ggml.pre", shape.pre_tokenizer);
  writer.put_strings("tokenizer.ggml.tokens", pieces.tokens);
  writer.put_int32s("tokenizer.ggml.token_type", pieces.types);
  writer.put_strings("tokenizer.ggml.merges", merges);
  put_ids(writer, first_special, is_llama ? first_special + 9 : shape.vocab_size - 1);
  writer.put_uint32("tokenizer.ggml.padding_token_id", static_cast<uint32_t>(first_special));
  writer.put_bool("tokenizer.ggml.add_bos_token", is_llama);
}

void put_sentence_pieces(const RandomModelShape& shape, formats::GgufWriter& writer) {
  const bool is_phi = shape.architecture == "phi3";
  const int32_t n_specials = is_phi ? 64 : 0;
  Pieces pieces;
  pieces.add("<unk>", kUnknown);
  pieces.add("<s>", kControl);
  pieces.add("</s>", kControl);
  for (int byte = 0; byte < 256; ++byte) pieces.add(fmt::format("<0x{:02X}>", byte), kByte);
  const int32_t first_piece = pieces.size();
  std::vector<std::string> characters = {"\u2581"};
  for (const char c : kFrequent) characters.emplace_back(1, c);
  for (const std::string& character : characters) pieces.add(character, kNormal);
  add_combinations(pieces, characters, shape.vocab_size - n_specials,
                   [](const std::string&, const std::string&) {});
  if (is_phi) pieces.add("<|endoftext|>", kControl);
  while (pieces.size() < shape.vocab_size) {
    pieces.add(fmt::format("<|placeholder{}|>", pieces.size()), kControl);
  }
  // Pieces that come earlier are merged first.
  std::vector<float> scores(pieces.tokens.size(), 0.0f);
  for (int32_t i = first_piece; i < shape.vocab_size - n_specials; ++i) {
    scores[static_cast<size_t>(i)] = static_cast<float>(first_piece - 1 - i);
  }

  writer.put_string("tokenizer.ggml.model", "llama");
  writer.put_string("tokenizer.ggml.pre", shape.pre_tokenizer);
  writer.put_strings("tokenizer.ggml.tokens", pieces.tokens);
  writer.put_float32s("tokenizer.ggml.scores", scores);
  writer.put_int32s("tokenizer.ggml.token_type", pieces.types);
  put_ids(writer, 1, is_phi ? shape.vocab_size - n_specials : 2);
  writer.put_uint32("tokenizer.ggml.unknown_token_id", 0);
  writer.put_bool("tokenizer.ggml.add_bos_token", true);
  writer.put_bool("tokenizer.ggml.add_eos_token", false);
}

}  // namespace

void put_random_vocabulary(const RandomModelShape& shape, formats::GgufWriter& writer) {
  FORGE_CHECK(shape.vocab_size >= 1024, "vocabulary of {}", shape.vocab_size);
  if (shape.vocabulary == RandomVocabularyKind::kBytePairs) {
    put_byte_pairs(shape, writer);
  } else {
    put_sentence_pieces(shape, writer);
  }
}

}  // namespace forge::engine
