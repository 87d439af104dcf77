// What forge bench serve says, as a Markdown table and as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/server/client/completion_request.h"
#include "forge/server/client/load_summary.h"

namespace forge::cli {

/// One row: a number of clients, or a rate.
struct BenchServeRun {
  int32_t n_clients = 0;
  double requests_per_s = 0.0;  // asked for, with n_clients 0
  server::client::LoadSummary summary = {};

  /// "4 clients", "2.5 requests/s".
  [[nodiscard]] std::string name() const;
};

struct BenchServeReport {
  std::string url;
  server::client::CompletionRequest request;
  std::vector<BenchServeRun> runs;

  /// Requests of all runs.
  [[nodiscard]] int64_t n_failed() const;
};

/// The table, what it counts, and the errors.
[[nodiscard]] std::string as_markdown(const BenchServeReport& report);
/// One line, with its end; docs/cli.md lists the fields.
[[nodiscard]] std::string as_json(const BenchServeReport& report);

}  // namespace forge::cli
