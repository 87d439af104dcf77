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

int columns_of(int file) {
  struct winsize size {};
  return ::ioctl(file, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

Terminal terminal() {
  Terminal found;
  found.is_input = ::isatty(STDIN_FILENO) != 0;
  found.is_output = ::isatty(STDOUT_FILENO) != 0;
  found.is_error = ::isatty(STDERR_FILENO) != 0;
  const std::string_view term = variable("TERM");
  found.is_dumb = term.empty() || term == "dumb";
  found.wants_color = !found.is_dumb && variable("NO_COLOR").empty();
  for (const int file : {STDOUT_FILENO, STDERR_FILENO}) {
    if (const int n = columns_of(file); n > 0) {
      found.n_columns = n;
      break;
    }
  }
  return found;
}

}  // namespace forge::cli
