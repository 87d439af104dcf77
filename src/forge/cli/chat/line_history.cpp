#include "forge/cli/chat/line_history.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "forge/base/json.h"

namespace forge::cli::chat {
namespace {

namespace fs = std::filesystem;

/// An open, locked file, closed at its end.
class LockedFile {
 public:
  explicit LockedFile(const std::string& path)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)) {
    struct stat status {};
    if (file_ < 0) return;
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(file_);
      file_ = -1;
      errno = EINVAL;
      return;
    }
    if ((status.st_mode & 0077) != 0) ::fchmod(file_, 0600);
    ::flock(file_, LOCK_EX);
  }
  ~LockedFile() {
    if (file_ >= 0) ::close(file_);
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  [[nodiscard]] int get() const { return file_; }

 private:
  int file_ = -1;
};

/// The last part of a file that is worth reading.
std::string read_tail(int file, size_t most_bytes) {
  const off_t size = ::lseek(file, 0, SEEK_END);
  if (size <= 0) return {};
  const off_t begin =
      size > static_cast<off_t>(most_bytes) ? size - static_cast<off_t>(most_bytes) : 0;
  std::string text(static_cast<size_t>(size - begin), '\0');
  const ssize_t n = ::pread(file, text.data(), text.size(), begin);
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  // The first line may have been cut.
  if (begin > 0) text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  return text;
}

std::string as_line(std::string_view entry) {
  json::Writer json;
  json.value(entry);
  return json.text() + "\n";
}

std::vector<std::string> parse(std::string_view text) {
  std::vector<std::string> entries;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto line = json::Document::parse(text.substr(at, end - at), "");
    if (line.ok()) {
      if (const auto entry = line->root().as_string()) entries.emplace_back(*entry);
    }
    at = end + 1;
  }
  return entries;
}

/// Replaces what the file has. The new text is shorter than the old one and is written over its
/// start before the rest goes: a process that is killed in between leaves at most one broken line.
void rewrite(int file, std::string_view text) {
  if (::pwrite(file, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size())) {
    [[maybe_unused]] const int failed = ::ftruncate(file, static_cast<off_t>(text.size()));
  }
}

}  // namespace

std::string default_history_path() {
  const auto absolute = [](const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value == '/' ? std::string(value) : std::string();
  };
  if (const std::string state = absolute("XDG_STATE_HOME"); !state.empty()) {
    return state + "/forge/chat_history";
  }
  const std::string home = absolute("HOME");
  return home.empty() ? "" : home + "/.local/state/forge/chat_history";
}

Result<LineHistory> LineHistory::open(const std::string& path) {
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  fs::create_directories(folder.parent_path(), error);
  ::mkdir(folder.c_str(), 0700);
  const LockedFile file(path);
  if (file.get() < 0) return make_error("{}: {}", path, std::strerror(errno));
  const std::string text = read_tail(file.get(), kMostBytes);
  std::vector<std::string> entries = parse(text);
  const size_t n_old = entries.size() > kMostEntries ? entries.size() - kMostEntries : 0;
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(n_old));
  if (n_old > 0 || ::lseek(file.get(), 0, SEEK_END) > static_cast<off_t>(text.size())) {
    std::string kept;
    for (const std::string& entry : entries) kept += as_line(entry);
    rewrite(file.get(), kept);
  }
  LineHistory history(path, std::move(entries));
  if (!history.entries_.empty()) history.last_ = history.entries_.back();
  return history;
}

Status LineHistory::add(std::string_view entry) {
  if (entry.find_first_not_of(" \t\n") == entry.npos || entry == last_) return {};
  std::string line = as_line(entry);
  if (line.size() > kMostBytes / 16) return {};
  last_ = entry;
  const LockedFile file(path_);
  if (file.get() < 0) return make_error("{}: {}", path_, std::strerror(errno));
  const off_t end = ::lseek(file.get(), 0, SEEK_END);
  // A line that a killed process has left unfinished ends here.
  char last = '\n';
  if (end > 0 && ::pread(file.get(), &last, 1, end - 1) == 1 && last != '\n') line.insert(0, "\n");
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return make_error("{}: {}", path_, std::strerror(errno));
  }
  return {};
}

}  // namespace forge::cli::chat
