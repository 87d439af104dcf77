// From tokens back to text: the decoders of tokenizer.json, as a chain of streaming stages. The
// whole text is what the stages have given when all tokens are through, so that streaming and
// decoding at once cannot differ.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/function_ref.h"
#include "forge/text/regex/regex.h"

namespace forge::text {

/// Where a stage's output goes: parts of tokens, in order; is_end closes a token. A part is passed
/// on only when nothing that comes later can change it.
using TokenSink = FunctionRef<void(std::string_view part, bool is_end)>;

/// What one stage remembers between parts. One per text that is being decoded.
class DecodeRun {
 public:
  virtual ~DecodeRun() = default;
  /// Another one that has seen the same parts.
  [[nodiscard]] virtual std::unique_ptr<DecodeRun> clone() const = 0;
  virtual void put(std::string_view part, bool is_end, TokenSink sink) = 0;
  /// No more tokens: passes on what was held back.
  virtual void finish(TokenSink sink) = 0;
};

/// Immutable; any thread may start runs.
class Decoder {
 public:
  virtual ~Decoder() = default;
  [[nodiscard]] virtual std::unique_ptr<DecodeRun> start() const = 0;
  /// What the stage makes of one token in the middle of a text, as far as that can be said.
  [[nodiscard]] virtual std::string decode_token(std::string token) const = 0;
};

using DecoderChain = std::vector<std::unique_ptr<const Decoder>>;

/// Byte alphabet to bytes (a token with other characters stays), invalid UTF-8 to U+FFFD; one
/// token.
[[nodiscard]] std::unique_ptr<Decoder> make_byte_level_decoder();
/// Runs of "<0xE2>" to the characters they spell, or to U+FFFD for each byte where they spell none.
[[nodiscard]] std::unique_ptr<Decoder> make_byte_fallback_decoder();
/// Replacement to space; dropped in the first token where the encoder may have added it.
[[nodiscard]] std::unique_ptr<Decoder> make_metaspace_decoder(std::string replacement,
                                                              bool drops_first);
/// All tokens become one.
[[nodiscard]] std::unique_ptr<Decoder> make_fuse_decoder();
/// Takes up to start copies of content off each token's start and up to stop off its end.
[[nodiscard]] std::unique_ptr<Decoder> make_strip_decoder(std::string content, size_t start,
                                                          size_t stop);
[[nodiscard]] std::unique_ptr<Decoder> make_replace_decoder(std::string from, std::string to);
[[nodiscard]] std::unique_ptr<Decoder> make_replace_decoder(Regex from, std::string to);
/// What the library does where a tokenizer has no decoder: tokens joined by spaces.
[[nodiscard]] std::unique_ptr<Decoder> make_join_decoder();

}  // namespace forge::text
