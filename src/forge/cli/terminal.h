// What stdin, stdout and stderr are connected to.
#pragma once

namespace forge::cli {

struct Terminal {
  bool is_input = false;   // stdin is a terminal
  bool is_output = false;  // stdout is one
  bool is_error = false;   // stderr is one
  /// TERM says that it understands no escape sequences, or does not say what it is.
  bool is_dumb = true;
  /// Colours are welcome: NO_COLOR (no-color.org) is unset or empty, and the terminal is not dumb.
  bool wants_color = false;
  int n_columns = 80;
  int n_rows = 24;

  /// What stderr shows may be drawn again in place.
  [[nodiscard]] bool redraws_errors() const { return is_error && !is_dumb; }
};

/// The width of the terminal that stdout is, as it is now; 0 where it is none or does not say.
[[nodiscard]] int output_columns();

/// The same of stderr.
[[nodiscard]] int error_columns();

/// Asks the system and the environment.
[[nodiscard]] Terminal terminal();

}  // namespace forge::cli
