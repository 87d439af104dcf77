// Breaks lines between words while they are written to a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "forge/cli/chat/code_fence.h"
#include "forge/text/unicode/line_layout.h"

namespace forge::cli::chat {

/// Every piece is written at once. A word that turns out not to fit is taken from the end of its
/// row (CSI D, CSI K) and put into the next one. Lines of fenced code, and words that are longer
/// than a row, are left to the terminal. The last column stays empty, but for those, so that the
/// cursor is never beyond an edge, where terminals do not agree on where it is.
class WordWrap {
 public:
  /// What to write for the next piece of text: valid UTF-8, whole characters, no control characters
  /// but line ends and tabs. The cursor is in column 0 before the first one, and nobody else writes
  /// to the terminal in between. n_columns: of the terminal, as it is now; 0: not known, and
  /// nothing is wrapped.
  [[nodiscard]] std::string pass(std::string_view piece, int n_columns);

 private:
  void add(std::string_view bytes, char32_t c);
  void put(std::string_view bytes, int n_cells);
  void end_line();
  void begin_row();
  void begin_word();
  void move_word();
  [[nodiscard]] bool fits(int n_cells) const { return column_ + n_cells < n_columns_; }

  std::string out_;  // for this piece
  CodeFence fence_;
  text::CellCounter cells_;
  int n_columns_ = 0;
  int column_ = 0;            // of the cursor
  bool has_words_ = false;    // words that are done in this row
  bool is_certain_ = true;    // the terminal counts the cells of this row as we do
  text::LineCharacter last_;  // of this line
  // The word at the end of the row:
  std::string word_;
  int n_word_cells_ = 0;
  size_t word_in_out_ = 0;   // where it begins in out_; 0 where it began in an earlier piece
  int n_seen_cells_ = 0;     // of earlier pieces
  bool is_movable_ = false;  // else it stays in its row
};

}  // namespace forge::cli::chat
