// Text in the cells of a terminal: how many a character takes, and where a line may be broken.
#pragma once

#include <cstdint>

namespace forge::text {

/// What a character adds to a line.
struct CellStep {
  int n_cells = 0;
  bool begins_cluster = true;  // else it belongs to the character before it: no break between them
  bool is_certain = true;      // else terminals do not agree (joined emoji, vowel signs, ...)
};

/// Measures a line, code point by code point, as terminals that know grapheme clusters do (Unicode
/// Standard Annexes 11 and 29, by utf8proc). Tabs and control characters are the caller's.
class CellCounter {
 public:
  [[nodiscard]] CellStep next(char32_t c);
  /// A new line begins.
  void reset() { *this = {}; }

 private:
  char32_t before_ = 0;
  int32_t state_ = 0;  // of utf8proc's grapheme rules
  int n_cluster_cells_ = 0;
};

/// The part of Unicode Standard Annex 14 (line breaking) that matters between words and in text
/// without blanks.
enum class LineClass {
  kBlank,    // a break is possible behind it
  kWord,     // letters and all else: no break between two of them
  kWide,     // a break is possible on both sides: ideographs, kana, Hangul, emoji
  kOpening,  // no break behind it: brackets
  kClosing,  // no break before it: brackets, commas, sound marks
};
struct LineCharacter {
  LineClass kind = LineClass::kBlank;
  bool is_wide = false;
};
[[nodiscard]] LineCharacter line_character(char32_t c);

/// Whether a line may be broken between two characters that follow each other.
[[nodiscard]] bool may_break(const LineCharacter& before, const LineCharacter& after);

}  // namespace forge::text
