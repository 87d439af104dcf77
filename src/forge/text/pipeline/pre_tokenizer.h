// How a normalized text falls into pieces that are encoded one by one: the pre-tokenizers of
// tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/function_ref.h"
#include "forge/text/regex/regex.h"

namespace forge::text {

/// A part of the text. at_start: see Segment.
struct Piece {
  std::string_view text;
  bool at_start = false;
};

using PieceSink = FunctionRef<void(const Piece&)>;

/// Immutable; any thread may call it.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  /// Hands the parts of a piece (valid UTF-8, not empty) to sink, in order; parts are not empty and
  /// their text lives for the call of sink only.
  virtual void split(const Piece& piece, PieceSink sink) const = 0;
};

using PreTokenizerChain = std::vector<std::unique_ptr<const PreTokenizer>>;

/// What becomes of the text that a pattern matches.
enum class SplitBehavior {
  kIsolated,            // a piece of its own
  kRemoved,             // gone
  kMergedWithPrevious,  // the end of the piece before it
  kMergedWithNext,      // the start of the piece after it
  kContiguous,          // one piece for all matches that touch
};

/// is_inverted: the pattern matches the pieces, what lies between is the delimiter.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_split(Regex pattern, SplitBehavior behavior,
                                                       bool is_inverted);
[[nodiscard]] std::unique_ptr<PreTokenizer> make_split(std::string literal, SplitBehavior behavior,
                                                       bool is_inverted);
/// Splits at single code points for which is_delimiter holds.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_split(bool (*is_delimiter)(char32_t),
                                                       SplitBehavior behavior);

/// Runs of word characters and runs of other characters; white space goes.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_word_split();

enum class PrefixSpace { kNever, kAlways, kFirst };

/// Spaces become replacement, one is put in front (kFirst: of the text's first piece only), and
/// with is_split each starts a new piece.
[[nodiscard]] std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement,
                                                           PrefixSpace prefix, bool is_split);

/// GPT-2's: a space in front where add_prefix_space asks for it, pieces by GPT-2's pattern where
/// use_regex does, then the bytes spelt in the byte alphabet, unless is_raw: then they stay bytes,
/// for a model that works on them.
struct ByteLevelOptions {
  bool add_prefix_space = false;
  bool use_regex = true;
  bool is_raw = true;
};
[[nodiscard]] std::unique_ptr<PreTokenizer> make_byte_level(const ByteLevelOptions& options);

/// GPT-2's pattern.
inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace forge::text
