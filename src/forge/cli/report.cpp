#include "forge/cli/report.h"

#include <fmt/format.h>

#include <cstdio>

#include "forge/cli/control_filter.h"

namespace forge::cli {
namespace {

void print_line(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

int runtime_error(std::string_view message) {
  print_line(fmt::format("forge: error: {}\n", one_line(message)));
  return kRuntimeError;
}

int usage_error(std::string_view command, std::string_view message) {
  const std::string_view space = command.empty() ? "" : " ";
  print_line(
      fmt::format("forge: error: {} (see forge {}{}--help)\n", one_line(message), command, space));
  return kUsageError;
}

void note(std::string_view message) { print_line(fmt::format("forge: {}\n", one_line(message))); }

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : harmless(text))
    line += c == '\n' ? "\\n" : c == '\t' ? "\\x09" : std::string(1, c);
  return line;
}

}  // namespace forge::cli
