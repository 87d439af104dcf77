#include "forge/cli/report.h"

#include <fmt/format.h>

#include <cstdio>

#include "forge/cli/control_filter.h"

namespace forge::cli {

void write_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

int runtime_error(std::string_view message) {
  write_stderr(fmt::format("forge: error: {}\n", one_line(message)));
  return kRuntimeError;
}

int usage_error(std::string_view command, std::string_view message) {
  const std::string_view space = command.empty() ? "" : " ";
  write_stderr(
      fmt::format("forge: error: {} (see forge {}{}--help)\n", one_line(message), command, space));
  return kUsageError;
}

void note(std::string_view message) { write_stderr(fmt::format("forge: {}\n", one_line(message))); }

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : harmless(text))
    line += c == '\n' ? "\\n" : c == '\t' ? "\\x09" : std::string(1, c);
  return line;
}

}  // namespace forge::cli
