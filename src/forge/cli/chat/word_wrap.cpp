#include "forge/cli/chat/word_wrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "forge/base/utf8.h"

namespace forge::cli::chat {
namespace {

using text::LineClass;

/// Less is no width to set text in.
constexpr int kLeastColumns = 10;
/// A word has less, whatever marks are piled on its letters.
constexpr size_t kMostWordBytes = 4096;

}  // namespace

std::string WordWrap::pass(std::string_view piece, int n_columns) {
  if (n_columns < kLeastColumns) n_columns = 0;
  if (n_columns != n_columns_) {
    // Some terminals have wrapped the row anew, others have cut it.
    if (n_columns > 0 && n_columns_ > 0) is_certain_ = column_ == 0;
    if (n_columns > 0) column_ %= n_columns;
    n_columns_ = n_columns;
  }
  n_seen_cells_ = n_word_cells_;
  word_in_out_ = 0;
  for (size_t at = 0; at < piece.size();) {
    const Utf8Char c = decode_utf8(piece, at);
    add(piece.substr(at, static_cast<size_t>(c.length)), c.code_point);
    at += static_cast<size_t>(c.length);
  }
  return std::exchange(out_, {});
}

void WordWrap::add(std::string_view bytes, char32_t c) {
  if (c == '\n') return end_line();
  fence_.add(c);
  if (fence_.is_code() || n_columns_ == 0) {
    out_ += bytes;
    return;
  }
  text::CellStep step = cells_.next(c);
  const text::LineCharacter character = text::line_character(c);
  if (c == '\t') step.n_cells = 8 - column_ % 8;
  if (character.kind == LineClass::kBlank) {
    begin_word();
    is_movable_ = false;
    last_ = character;
    if (fits(step.n_cells)) put(bytes, step.n_cells);
    return;
  }
  is_certain_ = is_certain_ && step.is_certain;
  if (step.begins_cluster) {
    if (text::may_break(last_, character)) {
      begin_word();
      if (!fits(step.n_cells) && column_ > 0) begin_row();
    } else if (!fits(step.n_cells) && is_movable_ && is_certain_) {
      move_word();
    }
    last_ = character;
  }
  if (is_movable_) {
    word_ += bytes;
    n_word_cells_ += step.n_cells;
    if (word_.size() > kMostWordBytes) is_movable_ = false;
  }
  put(bytes, step.n_cells);
}

void WordWrap::put(std::string_view bytes, int n_cells) {
  out_ += bytes;
  column_ = column_ + n_cells > n_columns_ ? n_cells : column_ + n_cells;
}

void WordWrap::end_line() {
  fence_.end_line();
  begin_row();
  cells_.reset();
  last_ = {};
  begin_word();
}

void WordWrap::begin_row() {
  out_ += '\n';
  column_ = 0;
  has_words_ = false;
  is_certain_ = true;
  is_movable_ = false;
  word_in_out_ = out_.size();
}

void WordWrap::begin_word() {
  has_words_ = has_words_ || last_.kind != LineClass::kBlank;
  // A word that is alone in its row, but for blanks, would not fit into the next one either.
  is_movable_ = has_words_;
  word_.clear();
  n_word_cells_ = 0;
  n_seen_cells_ = 0;
  word_in_out_ = out_.size();
}

void WordWrap::move_word() {
  const std::string word = std::exchange(word_, {});
  const int n_cells = n_word_cells_;
  out_.resize(word_in_out_);
  if (n_seen_cells_ > 0) out_ += fmt::format("\x1b[{}D\x1b[K", n_seen_cells_);
  begin_row();
  put(word, n_cells);
}

}  // namespace forge::cli::chat
