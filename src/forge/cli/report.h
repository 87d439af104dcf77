// What the program says besides its output: one line each, on stderr. On a terminal a line that is
// longer than a row is broken between words.
#pragma once

#include <string>
#include <string_view>

namespace forge::cli {

/// Exit codes of every subcommand.
inline constexpr int kOk = 0;
inline constexpr int kRuntimeError = 1;   // what was asked for is clear, but could not be done
inline constexpr int kUsageError = 2;     // flags or their values make no sense
inline constexpr int kInterrupted = 130;  // Ctrl-C, as shells report it

/// Prints "forge: error: MESSAGE" and returns kRuntimeError.
[[nodiscard]] int runtime_error(std::string_view message);
/// Prints "forge: error: MESSAGE (see forge COMMAND --help)" and returns kUsageError.
[[nodiscard]] int usage_error(std::string_view command, std::string_view message);
/// Prints "forge: MESSAGE".
void note(std::string_view message);

/// Puts text on stderr as it is, at once: for progress, which is no line of its own.
void write_stderr(std::string_view text);

/// The text with line breaks and other control characters escaped, so that it stays one line
/// whatever names and values from outside are in it.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace forge::cli
