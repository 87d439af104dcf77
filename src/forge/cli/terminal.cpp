#include "forge/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace forge::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

struct winsize size_of(int file) {
  struct winsize size {};
  if (::ioctl(file, TIOCGWINSZ, &size) != 0) size = {};
  return size;
}

}  // namespace

int output_columns() { return size_of(STDOUT_FILENO).ws_col; }

int error_columns() { return size_of(STDERR_FILENO).ws_col; }

Terminal terminal() {
  Terminal found;
  found.is_input = ::isatty(STDIN_FILENO) != 0;
  found.is_output = ::isatty(STDOUT_FILENO) != 0;
  found.is_error = ::isatty(STDERR_FILENO) != 0;
  const std::string_view term = variable("TERM");
  found.is_dumb = term.empty() || term == "dumb";
  found.wants_color = !found.is_dumb && variable("NO_COLOR").empty();
  for (const int file : {STDOUT_FILENO, STDERR_FILENO}) {
    const struct winsize size = size_of(file);
    if (size.ws_col == 0) continue;
    found.n_columns = size.ws_col;
    if (size.ws_row > 0) found.n_rows = size.ws_row;
    break;
  }
  return found;
}

}  // namespace forge::cli
