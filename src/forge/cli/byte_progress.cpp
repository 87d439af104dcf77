#include "forge/cli/byte_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "forge/base/format_bytes.h"
#include "forge/cli/clock_text.h"
#include "forge/cli/report.h"
#include "forge/cli/terminal.h"

namespace forge::cli {
namespace {

constexpr std::chrono::milliseconds kBarPeriod{250};
constexpr std::chrono::milliseconds kLinePeriod{5'000};
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

std::string progress_line(const std::string& what, int64_t done_bytes, int64_t total_bytes,
                          double seconds, int columns) {
  const double share =
      static_cast<double>(done_bytes) / static_cast<double>(std::max<int64_t>(total_bytes, 1));
  const double rate = static_cast<double>(done_bytes) / std::max(seconds, 1e-3);
  const std::string left =
      done_bytes == 0 ? "?" : clock_text(static_cast<double>(total_bytes - done_bytes) / rate);
  const std::string percent = fmt::format("{:3.0f} %", 100.0 * share);
  const std::string numbers =
      fmt::format("{}, {} of {}, {}/s, ETA {}", percent, format_bytes(done_bytes),
                  format_bytes(total_bytes), format_bytes(static_cast<int64_t>(rate)), left);
  const auto fits = [columns](const std::string& line) {
    return columns == 0 || line.size() < static_cast<size_t>(columns);
  };
  if (columns > 0) {
    constexpr size_t kLeastBar = 8;
    const size_t taken = what.size() + numbers.size() + 4;
    const size_t room = static_cast<size_t>(columns) - 1;
    if (taken + kLeastBar <= room) {
      const size_t length = std::min<size_t>(24, room - taken);
      const auto filled = static_cast<size_t>(share * static_cast<double>(length));
      return fmt::format("{} [{:<{}}] {}", what, std::string(filled, '='), length, numbers);
    }
  }
  for (const std::string& line : {what + " " + numbers, numbers, percent + ", ETA " + left}) {
    if (fits(line)) return line;
  }
  return percent;
}

ByteProgress::ByteProgress(std::string what, bool is_quiet)
    : what_(one_line(what)),
      is_quiet_(is_quiet),
      is_terminal_(terminal().redraws_errors()),
      start_(Clock::now()),
      shown_(start_) {}

ByteProgress::~ByteProgress() { clear(); }

void ByteProgress::show(int64_t done_bytes, int64_t total_bytes) {
  const Clock::time_point now = Clock::now();
  if (is_quiet_ || now - shown_ < (is_terminal_ ? kBarPeriod : kLinePeriod)) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string line = progress_line(what_, done_bytes, total_bytes, seconds,
                                         is_terminal_ ? terminal().n_columns : 0);
  write_stderr(is_terminal_ ? fmt::format("{}{}", kClearLine, line)
                            : fmt::format("forge: {}\n", line));
  has_bar_ = is_terminal_;
}

void ByteProgress::clear() {
  if (has_bar_) write_stderr(kClearLine);
  has_bar_ = false;
}

}  // namespace forge::cli
