// How far work on a large file is, on stderr: a bar on a terminal, else a line now and then.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace forge::cli {

/// Draws at most four times a second, within the terminal's width. One thread.
class ByteProgress {
 public:
  /// what: of the line, before the numbers ("model.gguf"). is_quiet: draws nothing.
  ByteProgress(std::string what, bool is_quiet);
  /// Takes the bar away.
  ~ByteProgress();
  ByteProgress(const ByteProgress&) = delete;
  ByteProgress& operator=(const ByteProgress&) = delete;

  void show(int64_t done_bytes, int64_t total_bytes);
  /// Takes the bar away, so that a line can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  const std::string what_;
  const bool is_quiet_;
  const bool is_terminal_;
  const Clock::time_point start_;
  Clock::time_point shown_;
  bool has_bar_ = false;
};

/// One line of it: "model.gguf [=====     ]  52 %, 1.2 GiB of 2.3 GiB, 310 MiB/s, ETA 0:12",
/// without what does not fit into so many columns (0: any).
[[nodiscard]] std::string progress_line(const std::string& what, int64_t done_bytes,
                                        int64_t total_bytes, double seconds, int columns);

}  // namespace forge::cli
