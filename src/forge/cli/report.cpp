#include "forge/cli/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "forge/cli/control_filter.h"
#include "forge/cli/terminal.h"
#include "forge/cli/wrapped_text.h"

namespace forge::cli {

void write_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

namespace {

/// A line that begins with "forge: ", broken between words where it is longer than the terminal's.
void write_line(const std::string& line) {
  constexpr size_t kIndent = 7;  // of "forge: "
  constexpr size_t kLeastColumns = 40;
  const auto n_columns = static_cast<size_t>(error_columns());
  if (n_columns < kLeastColumns || line.size() <= n_columns) return write_stderr(line + "\n");
  const std::string between = "\n" + std::string(kIndent, ' ');
  const auto rows = wrap(line.substr(kIndent), n_columns - kIndent);
  write_stderr(fmt::format("{}{}\n", line.substr(0, kIndent), fmt::join(rows, between)));
}

}  // namespace

int runtime_error(std::string_view message) {
  write_line(fmt::format("forge: error: {}", one_line(message)));
  return kRuntimeError;
}

int usage_error(std::string_view command, std::string_view message) {
  const std::string_view space = command.empty() ? "" : " ";
  write_line(
      fmt::format("forge: error: {} (see forge {}{}--help)", one_line(message), command, space));
  return kUsageError;
}

void note(std::string_view message) { write_line(fmt::format("forge: {}", one_line(message))); }

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : harmless(text))
    line += c == '\n' ? "\\n" : c == '\t' ? "\\x09" : std::string(1, c);
  return line;
}

}  // namespace forge::cli
