// Drives a server with many requests at once.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/server/client/call_record.h"
#include "forge/server/client/http_connection.h"

namespace forge::server::client {

/// Either a closed loop, where each of n_clients sends its next request when the last one is done,
/// or an open one, where requests come at random moments whatever the server does (a Poisson
/// process). One of seconds and n_requests at least ends it.
struct LoadPlan {
  int32_t n_clients = 0;               // > 0: a closed loop
  double requests_per_s = 0.0;         // > 0, with n_clients 0: an open one
  std::optional<double> seconds = {};  // no request starts later; those under way are waited for
  std::optional<int64_t> n_requests = {};
  uint64_t seed = 0;         // of the arrivals
  double timeout_s = 600.0;  // of each request
};

struct LoadProgress {
  double seconds = 0.0;
  int64_t n_done = 0;
  int64_t n_failed = 0;
  int64_t n_running = 0;
};

struct LoadHooks {
  std::string path;                                      // "/completions"
  std::function<std::string(int64_t)> body;              // of request i, JSON
  std::function<void(const LoadProgress&)> on_progress;  // ten times a second
  std::function<bool()> is_cancelled;                    // asked as often; ends the run at once
};

struct LoadResult {
  std::vector<CallRecord> records;  // in the order of their starts
  double seconds = 0.0;  // the window for rates (summarize): without the waiting at the end
  bool is_cancelled = false;
};

/// Runs on the calling thread alone, however many connections there are. Failed requests are
/// records like others; fails itself only where the system does not allow as many open files.
[[nodiscard]] Result<LoadResult> run_load(HttpTarget& target, const LoadPlan& plan,
                                          const LoadHooks& hooks);

}  // namespace forge::server::client
