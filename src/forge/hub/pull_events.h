// What a download tells while it runs, and how it is told to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::hub {

struct FileProgress {
  enum class State { kQueued, kWaiting, kChecking, kRunning, kDone };
  std::string name;
  int64_t n_bytes = 0;     // of the whole file
  int64_t n_done = 0;      // received or found, in order or not
  int64_t n_kept = 0;      // of these on the disk: what the next run goes on from
  int64_t n_received = 0;  // over the network, in this run
  State state = State::kQueued;
};

struct PullProgress {
  std::vector<FileProgress> files;  // all of them, in a fixed order
};

/// Called from the thread that pulls, some twenty times a second. All but is_stopped may be empty.
struct PullEvents {
  std::function<void(std::string_view line)> on_note;
  std::function<void(const PullProgress&)> on_progress;
  std::function<bool()> is_stopped = [] { return false; };

  void note(std::string_view line) const {
    if (on_note) on_note(line);
  }
};

}  // namespace forge::hub
