// Text to token ids and back, exactly as the model's original tokenizer does it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::text {

class DecodeStream;
struct TokenizerParts;

/// What encode() adds and recognises.
struct EncodeOptions {
  bool add_special = true;  // BOS/EOS where the tokenizer's own rules (or template) add them
  bool parse_special =
      true;  // "<|im_end|>" in the text becomes that special token, else plain text
};

struct DecodeOptions {
  bool skip_special = false;  // leave special tokens out of the text
};

/// A vocabulary as GGUF metadata holds it; the reader of the file fills it (tokenizer.ggml.*).
struct GgufVocabulary {
  std::string model;  // "gpt2" (byte-level BPE) or "llama" (SentencePiece BPE); others are refused
  std::string pre;    // name of the pre-tokenizer: "llama-bpe", "qwen2", "smollm", "gpt-2", ...
  std::vector<std::string> tokens;
  std::vector<float> scores;  // SentencePiece only
  std::vector<int32_t>
      token_types;  // 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<std::string> merges;  // "left right", BPE only
  std::optional<int32_t> bos_id;
  std::optional<int32_t> eos_id;
  std::optional<int32_t> unknown_id;
  std::optional<int32_t> padding_id;
  std::vector<int32_t> end_of_generation_ids;  // eot, eom and friends, where the file names them
  std::optional<bool> add_bos;
  std::optional<bool> add_eos;
  std::optional<bool> add_space_prefix;
  std::optional<std::string> chat_template;
};

/// Immutable after loading: any thread may encode and decode at once.
class Tokenizer {
 public:
  /// Reads a Hugging Face folder: tokenizer.json, else tokenizer.model (SentencePiece), else
  /// vocab.json + merges.txt; with tokenizer_config.json and special_tokens_map.json where they
  /// are.
  [[nodiscard]] static Result<Tokenizer> load_folder(const std::string& folder);
  /// origin names the vocabulary in errors (the GGUF file's path).
  [[nodiscard]] static Result<Tokenizer> from_gguf(GgufVocabulary vocabulary,
                                                   std::string_view origin);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// text need not be valid UTF-8: what is invalid is encoded as Python's errors="replace" would
  /// give it to the original (U+FFFD), byte-level BPE included.
  [[nodiscard]] std::vector<int32_t> encode(std::string_view text,
                                            const EncodeOptions& options = {}) const;
  /// Whole text of the ids; invalid UTF-8 becomes U+FFFD as the original does it. Ids out of range
  /// are skipped.
  [[nodiscard]] std::string decode(std::span<const int32_t> ids,
                                   const DecodeOptions& options = {}) const;
  /// The bytes that id contributes when it follows other tokens ("\u2581the" -> " the"); special
  /// tokens give their text.
  [[nodiscard]] std::string token_bytes(int32_t id) const;
  /// The vocabulary's own spelling ("\u0120the", "<0x0A>").
  [[nodiscard]] std::string_view piece(int32_t id) const;
  [[nodiscard]] std::optional<int32_t> id_of(std::string_view piece) const;

  /// Ids run from 0 to vocab_size() - 1; some may be unused.
  [[nodiscard]] int32_t vocab_size() const;
  [[nodiscard]] bool is_special(int32_t id) const;
  [[nodiscard]] std::optional<int32_t> bos_id() const;
  [[nodiscard]] std::optional<int32_t> eos_id() const;
  /// The model's chat template (Jinja source) where its files hold one.
  [[nodiscard]] const std::optional<std::string>& chat_template() const;
  /// "byte-level BPE, qwen2 pre-tokenizer" or "SentencePiece BPE", for people.
  [[nodiscard]] std::string_view description() const;

 private:
  friend class Detokenizer;
  struct State;
  explicit Tokenizer(TokenizerParts parts);
  std::shared_ptr<const State> state_;
};

/// Turns tokens into text one at a time. Pieces never end inside a UTF-8 character, and all pieces
/// with flush() at the end add up to exactly Tokenizer::decode() of the same ids. One per sequence;
/// movable, and a copy goes on from where the original was. Where later tokens can still change a
/// text it is held back: the bytes of an unfinished character, and in SentencePiece vocabularies a
/// whole run of byte tokens ("<0xF0><0x9F>...").
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer, const DecodeOptions& options = {});
  Detokenizer(const Detokenizer& other);
  Detokenizer(Detokenizer&&) noexcept;
  Detokenizer& operator=(Detokenizer&&) noexcept;
  ~Detokenizer();

  /// Text that has become certain with this token; may be empty.
  [[nodiscard]] std::string add(int32_t id);
  /// What is still held back; the next add() starts a new text.
  [[nodiscard]] std::string flush();

 private:
  std::shared_ptr<const Tokenizer::State> state_;
  DecodeOptions options_;
  std::unique_ptr<DecodeStream> stream_;
};

}  // namespace forge::text
