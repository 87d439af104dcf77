#include "forge/text/unicode/line_layout.h"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace forge::text {
namespace {

constexpr char32_t kEmojiStyle = 0xFE0F;  // the character before it is drawn as an emoji, wide

bool is_regional(char32_t c) { return c >= 0x1F1E6 && c <= 0x1F1FF; }

int width_of(char32_t c) { return utf8proc_charwidth(static_cast<utf8proc_int32_t>(c)); }

utf8proc_category_t category_of(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

}  // namespace

CellStep CellCounter::next(char32_t c) {
  const char32_t before = std::exchange(before_, c);
  CellStep step;
  step.begins_cluster =
      before == 0 || utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                                      static_cast<utf8proc_int32_t>(c), &state_);
  if (step.begins_cluster) {
    step.n_cells = width_of(c);
    n_cluster_cells_ = step.n_cells;
    return step;
  }
  // Two cells at most, however many characters are drawn as one.
  const bool widens = c == kEmojiStyle || is_regional(c);
  if (widens) step.n_cells = std::max(2 - n_cluster_cells_, 0);
  step.is_certain = !widens && width_of(c) == 0 && category_of(c) != UTF8PROC_CATEGORY_MC;
  n_cluster_cells_ += step.n_cells;
  return step;
}

LineCharacter line_character(char32_t c) {
  LineCharacter character{.kind = LineClass::kWord, .is_wide = width_of(c) == 2};
  switch (category_of(c)) {
    case UTF8PROC_CATEGORY_ZS:
      if (c != 0xA0 && c != 0x2007 && c != 0x202F) character.kind = LineClass::kBlank;  // no-break
      break;
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PI:
      character.kind = LineClass::kOpening;
      break;
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_LM:
      character.kind = LineClass::kClosing;
      break;
    default:
      if (c == '\t') character.kind = LineClass::kBlank;
      if (character.is_wide) character.kind = LineClass::kWide;
  }
  return character;
}

bool may_break(const LineCharacter& before, const LineCharacter& after) {
  if (after.kind == LineClass::kBlank) return false;  // it ends the line, out of sight
  if (before.kind == LineClass::kBlank) return true;
  if (before.kind == LineClass::kOpening || after.kind == LineClass::kClosing) return false;
  return before.is_wide || after.is_wide;
}

}  // namespace forge::text
