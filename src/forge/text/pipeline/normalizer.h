// What happens to a text before it is split: the normalizers of tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/text/regex/regex.h"
#include "forge/text/unicode/normalize.h"

namespace forge::text {

/// A text on its way through the pipeline. at_start: its first character is the first of what the
/// user gave (nothing was split off or removed before it), which decides about prefix spaces.
struct Segment {
  std::string text;
  bool at_start = false;
};

/// Immutable; any thread may call it.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// Changes a segment (valid UTF-8) in place; it may become empty.
  virtual void apply(Segment& segment) const = 0;
};

using NormalizerChain = std::vector<std::unique_ptr<const Normalizer>>;

/// NFC, NFD, NFKC, NFKD.
[[nodiscard]] std::unique_ptr<Normalizer> make_unicode_normalizer(NormalForm form);
[[nodiscard]] std::unique_ptr<Normalizer> make_lowercase();
/// Takes white space off the ends.
[[nodiscard]] std::unique_ptr<Normalizer> make_strip(bool left, bool right);
/// Puts a text in front of each segment that is not empty.
[[nodiscard]] std::unique_ptr<Normalizer> make_prepend(std::string prefix);
[[nodiscard]] std::unique_ptr<Normalizer> make_replace(std::string from, std::string to);
[[nodiscard]] std::unique_ptr<Normalizer> make_replace(Regex from, std::string to);
/// Spells the bytes in the byte alphabet.
[[nodiscard]] std::unique_ptr<Normalizer> make_byte_level_normalizer();
/// SentencePiece's remove_extra_whitespaces: no spaces at the ends, none doubled.
[[nodiscard]] std::unique_ptr<Normalizer> make_squeeze_spaces();
/// Puts a prefix in front of the segment that starts the text, only.
[[nodiscard]] std::unique_ptr<Normalizer> make_prepend_at_start(std::string prefix);

/// Every occurrence of from (not empty), left to right. Shared with the decoders.
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view from,
                                      std::string_view to);
[[nodiscard]] std::string replace_all(std::string_view text, const Regex& from,
                                      std::string_view to);

}  // namespace forge::text
