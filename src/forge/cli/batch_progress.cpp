#include "forge/cli/batch_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "forge/cli/clock_text.h"
#include "forge/cli/report.h"
#include "forge/cli/terminal.h"

namespace forge::cli {
namespace {

constexpr int64_t kBarLength = 24;  // all of the line stays within 80 columns
constexpr std::chrono::milliseconds kBarPeriod{250};
constexpr std::chrono::milliseconds kLinePeriod{10'000};
constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

BatchProgress::BatchProgress(int64_t n_lines, int64_t n_before)
    : n_lines_(n_lines),
      n_before_(n_before),
      is_terminal_(terminal().redraws_errors()),
      start_(Clock::now()),
      shown_(start_) {}

std::string BatchProgress::text(const server::batch::BatchCounts& counts,
                                int64_t generated_tokens) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const int64_t n_now = counts.written() + counts.unanswered;
  const int64_t n_done = n_before_ + n_now;
  const int64_t percent = 100 * n_done / n_lines_;
  std::string bar;
  if (is_terminal_) {
    const int64_t length = kBarLength * n_done / n_lines_;
    bar = fmt::format("[{:<{}}] ", std::string(static_cast<size_t>(length), '='), kBarLength);
  }
  const std::string left = n_now == 0
                               ? "?"
                               : clock_text(elapsed * static_cast<double>(n_lines_ - n_done) /
                                            static_cast<double>(n_now));
  return fmt::format("forge: {}{}/{} lines ({}%), {:.0f} tok/s, ETA {}", bar, n_done, n_lines_,
                     percent, static_cast<double>(generated_tokens) / std::max(elapsed, 1e-3),
                     left);
}

void BatchProgress::show(const server::batch::BatchCounts& counts, int64_t generated_tokens) {
  const Clock::time_point now = Clock::now();
  if (now - shown_ < (is_terminal_ ? kBarPeriod : kLinePeriod)) return;
  shown_ = now;
  const std::string line = text(counts, generated_tokens);
  write_stderr(is_terminal_ ? fmt::format("{}{}", kClearLine, line) : line + "\n");
  has_bar_ = is_terminal_;
}

void BatchProgress::clear() {
  if (has_bar_) write_stderr(kClearLine);
  has_bar_ = false;
}

}  // namespace forge::cli
