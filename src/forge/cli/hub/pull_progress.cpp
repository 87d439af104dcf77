#include "forge/cli/hub/pull_progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/base/format_bytes.h"
#include "forge/cli/clock_text.h"
#include "forge/cli/report.h"
#include "forge/cli/terminal.h"

namespace forge::cli {
namespace {

using State = hub::FileProgress::State;

constexpr std::chrono::milliseconds kDrawPeriod{100};
constexpr std::chrono::seconds kLinePeriod{5};
constexpr std::chrono::seconds kSpeedSpan{4};
constexpr int64_t kLargeFile = 16 << 20;

/// The ending says least, the end before it most: a shard's number, a quantisation.
std::string shortened(std::string name, size_t width) {
  for (const std::string_view ending : {".safetensors", ".gguf"}) {
    if (name.size() > width && name.ends_with(ending)) name.resize(name.size() - ending.size());
  }
  if (name.size() <= width) return name;
  return width < 4 ? name.substr(0, width) : ".." + name.substr(name.size() - width + 2);
}

int64_t percent(int64_t n_done, int64_t n_bytes) {
  return n_bytes == 0 ? 100
                      : static_cast<int64_t>(100.0 * static_cast<double>(n_done) /
                                             static_cast<double>(n_bytes));
}

std::string time_left(int64_t n_left, double speed) {
  const double seconds = speed < 1 ? 1e9 : static_cast<double>(n_left) / speed;
  return seconds > 99 * 3600 ? "-:--" : clock_text(seconds);
}

/// "35.7/38.1 MiB": the unit once where both have the same.
std::string size_text(int64_t n_done, int64_t n_bytes) {
  const std::string done = format_bytes(n_done);
  const std::string all = format_bytes(n_bytes);
  const size_t blank = done.find(' ');
  const bool same_unit = done.substr(blank) == all.substr(all.find(' '));
  return (same_unit ? done.substr(0, blank) : done) + "/" + all;
}

std::string rate_text(double speed) {
  return format_bytes(static_cast<int64_t>(std::max(speed, 0.0))) + "/s";
}

}  // namespace

void Speed::add(Clock::time_point now, int64_t n_received) {
  samples_.push_back({now, n_received});
  while (samples_.size() > 2 && now - samples_.front().time > kSpeedSpan) samples_.pop_front();
}

double Speed::bytes_per_second() const {
  if (samples_.size() < 2) return 0;
  const std::chrono::duration<double> span = samples_.back().time - samples_.front().time;
  const auto n = static_cast<double>(samples_.back().n_received - samples_.front().n_received);
  return span.count() < 0.2 ? 0 : n / span.count();
}

std::string format_row(const ProgressRow& row, int width, bool has_colour) {
  constexpr int kBarLength = 14;
  constexpr int kLeastName = 12;
  constexpr int kUsefulName = 20;
  const std::string share = fmt::format("{:>4}%", percent(row.n_done, row.n_bytes));
  const std::string size = fmt::format(" {:>14}", size_text(row.n_done, row.n_bytes));
  const std::string speed = fmt::format(" {:>11}", row.speed < 0 ? "" : rate_text(row.speed));
  const std::string left = fmt::format(
      " {:>8}", row.speed < 0 ? "" : "ETA " + time_left(row.n_bytes - row.n_done, row.speed));
  // The last column stays free: some terminals go to the next line when it is written.
  int n_free = width - 1 - static_cast<int>(share.size());
  const auto takes = [&](size_t columns, int least_name) {
    if (n_free - static_cast<int>(columns) < least_name) return false;
    n_free -= static_cast<int>(columns);
    return true;
  };
  const bool has_size = takes(size.size(), kLeastName);
  const bool has_left = takes(left.size(), kLeastName);
  const bool has_speed = takes(speed.size(), kLeastName);
  const bool has_bar = takes(kBarLength + 3, kUsefulName);
  const int name_width = std::clamp(n_free, 1, 40);
  std::string text =
      fmt::format("{:<{}}", shortened(row.name, static_cast<size_t>(name_width)), name_width);
  if (has_bar) {
    const auto n = static_cast<size_t>(kBarLength * percent(row.n_done, row.n_bytes) / 100);
    const std::string done(n, '=');
    const std::string rest(kBarLength - n, ' ');
    text += has_colour ? fmt::format(" [\x1b[32m{}\x1b[0m{}]", done, rest)
                       : fmt::format(" [{}{}]", done, rest);
  }
  text += share;
  if (has_size) text += size;
  if (has_speed) text += speed;
  if (has_left) text += left;
  return text;
}

PullDisplay::PullDisplay(bool is_wanted)
    : is_wanted_(is_wanted),
      is_terminal_(terminal().redraws_errors()),
      has_colour_(terminal().wants_color),
      line_(Clock::now()) {}

void PullDisplay::show(const hub::PullProgress& progress) {
  n_done_ = 0;
  n_kept_ = 0;
  n_total_ = 0;
  int64_t n_received = 0;
  for (const hub::FileProgress& file : progress.files) {
    n_done_ += file.n_done;
    n_kept_ += file.n_kept;
    n_total_ += file.n_bytes;
    n_received += file.n_received;
  }
  if (!is_wanted_) return;
  const Clock::time_point now = Clock::now();
  if (!is_terminal_) {
    total_speed_.add(now, n_received);
    return print_lines(progress, now);
  }
  if (now - drawn_ < kDrawPeriod) return;
  drawn_ = now;
  total_speed_.add(now, n_received);
  speeds_.resize(progress.files.size());
  for (size_t i = 0; i < speeds_.size(); ++i) speeds_[i].add(now, progress.files[i].n_received);
  draw(progress);
}

std::string PullDisplay::total_name(const hub::PullProgress& progress) const {
  const auto n = std::count_if(progress.files.begin(), progress.files.end(),
                               [](const auto& file) { return file.state == State::kDone; });
  return fmt::format("{} of {} files", n, progress.files.size());
}

void PullDisplay::draw(const hub::PullProgress& progress) {
  const Terminal size = terminal();
  std::vector<std::string> rows;
  for (size_t i = 0; i < progress.files.size(); ++i) {
    const hub::FileProgress& file = progress.files[i];
    if (file.state == State::kQueued || file.state == State::kDone) continue;
    if (static_cast<int>(rows.size()) + 2 >= std::min(size.n_rows, 11)) break;
    ProgressRow row{one_line(file.name), file.n_done, file.n_bytes, speeds_[i].bytes_per_second()};
    if (file.state == State::kWaiting) row.name += " (waiting)";
    if (file.state == State::kChecking) row.name += " (checking)";
    if (file.state != State::kRunning) row.speed = -1;
    rows.push_back(format_row(row, size.n_columns, has_colour_));
  }
  const double speed = total_speed_.bytes_per_second();
  rows.push_back(
      format_row({total_name(progress), n_done_, n_total_, speed}, size.n_columns, has_colour_));
  std::string text;
  if (n_rows_ > 0) text += fmt::format("\r\x1b[{}A", n_rows_);
  for (const std::string& row : rows) text += "\r\x1b[K" + row + "\n";
  text += "\x1b[J";  // rows of files that are done since
  write_stderr(text);
  n_rows_ = static_cast<int>(rows.size());
}

void PullDisplay::clear() {
  if (n_rows_ > 0) write_stderr(fmt::format("\r\x1b[{}A\x1b[J", n_rows_));
  n_rows_ = 0;
}

void PullDisplay::print_lines(const hub::PullProgress& progress, Clock::time_point now) {
  told_.resize(progress.files.size(), State::kQueued);
  for (size_t i = 0; i < told_.size(); ++i) {
    const hub::FileProgress& file = progress.files[i];
    if (told_[i] == file.state) continue;
    const bool begins = file.state == State::kRunning && file.n_bytes >= kLargeFile;
    if (begins) {
      note(fmt::format("{}: {}{}", file.name, format_bytes(file.n_bytes),
                       file.n_done == 0
                           ? ""
                           : fmt::format(", of which {} are here", format_bytes(file.n_done))));
    }
    if (file.state == State::kDone && file.n_received > 0) {
      note(fmt::format("{}: done, {}", file.name, format_bytes(file.n_bytes)));
    }
    told_[i] = file.state;
  }
  if (now - line_ < kLinePeriod) return;
  line_ = now;
  const double speed = total_speed_.bytes_per_second();
  note(fmt::format("{}, {}%, {} of {}, {}, ETA {}", total_name(progress),
                   percent(n_done_, n_total_), format_bytes(n_done_), format_bytes(n_total_),
                   rate_text(speed), time_left(n_total_ - n_done_, speed)));
}

}  // namespace forge::cli
