// What happened to one request of a run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forge/server/client/stream_chunk.h"

namespace forge::server::client {

struct CallError {
  std::string kind;     // few different ones, to be counted: "HTTP 429", "connect", "cut off"
  std::string message;  // one line
};

/// Times are in seconds since the run began, on the steady clock.
struct CallRecord {
  double start = 0.0;                 // when it was due; connecting is part of it
  std::vector<double> content_times;  // when each chunk with content arrived, ascending
  std::optional<double> end;          // nothing: it was still under way when the run was ended
  std::optional<TokenUsage> usage;    // as the server says, where it does
  std::optional<CallError> error;

  [[nodiscard]] bool is_done() const { return end.has_value() && !error.has_value(); }
  [[nodiscard]] bool has_failed() const { return error.has_value(); }
};

}  // namespace forge::server::client
