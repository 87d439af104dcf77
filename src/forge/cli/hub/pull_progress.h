// How far a download is, on stderr: bars on a terminal, else a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "forge/hub/pull_events.h"

namespace forge::cli {

/// Bytes per second over the last few seconds.
class Speed {
 public:
  using Clock = std::chrono::steady_clock;
  void add(Clock::time_point now, int64_t n_received);
  [[nodiscard]] double bytes_per_second() const;

 private:
  struct Sample {
    Clock::time_point time;
    int64_t n_received;
  };
  std::deque<Sample> samples_;
};

/// One row of a terminal, at most `width` columns: name, bar, share, bytes, speed, time left; what
/// does not fit is left out, the bar first. speed < 0: not known, and not shown.
struct ProgressRow {
  std::string name;
  int64_t n_done = 0;
  int64_t n_bytes = 0;
  double speed = -1;
};
[[nodiscard]] std::string format_row(const ProgressRow& row, int width, bool has_colour);

/// One thread. On a terminal (unless TERM is "dumb") a row for each file under way and one for all
/// of them, redrawn in place ten times a second, coloured unless NO_COLOR is set; elsewhere a line
/// when a large file begins, when any file is there, and for all of them every five seconds.
class PullDisplay {
 public:
  explicit PullDisplay(bool is_wanted);

  void show(const hub::PullProgress& progress);
  /// Takes the rows away, so that a line can be printed.
  void clear();

  /// Of all files: bytes on the disk, and in all. 0 where nothing has begun.
  [[nodiscard]] int64_t n_kept() const { return n_kept_; }
  [[nodiscard]] int64_t n_total() const { return n_total_; }

 private:
  using Clock = Speed::Clock;
  void draw(const hub::PullProgress& progress);
  void print_lines(const hub::PullProgress& progress, Clock::time_point now);
  [[nodiscard]] std::string total_name(const hub::PullProgress& progress) const;

  const bool is_wanted_;
  const bool is_terminal_;
  const bool has_colour_;
  int n_rows_ = 0;
  int64_t n_kept_ = 0;
  int64_t n_done_ = 0;
  int64_t n_total_ = 0;
  Clock::time_point drawn_{};
  Clock::time_point line_;
  Speed total_speed_;
  std::vector<Speed> speeds_;
  std::vector<hub::FileProgress::State> told_;
};

}  // namespace forge::cli
