// From the records of a run to rates and percentiles.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "forge/server/client/call_record.h"

namespace forge::server::client {

/// The p-quantile (0 to 1) of samples in ascending order, interpolated between the two nearest as
/// NumPy's default does (Hyndman & Fan 1996, type 7). At least one sample.
[[nodiscard]] double quantile(std::span<const double> ascending, double p);

/// Exact, of all samples; zeros where there are none.
struct Distribution {
  int64_t n = 0;
  double mean = 0.0;
  double p50 = 0.0;
  double p90 = 0.0;
  double p99 = 0.0;
  double max = 0.0;
};
[[nodiscard]] Distribution distribution(std::vector<double> samples);

struct ErrorCount {
  std::string kind;
  int64_t n = 0;
  std::string example;  // the message of the first
};

struct LoadSummary {
  double seconds = 0.0;  // the window that rates are taken over
  int64_t n_done = 0;
  int64_t n_failed = 0;
  int64_t n_unfinished = 0;
  double requests_per_s = 0.0;       // done; one that ends later counts by its part inside
  double output_tokens_per_s = 0.0;  // that arrived inside the window
  double input_tokens_per_s = 0.0;   // of requests whose first content arrived inside the window
  /// Tokens are the server's count, which every request that is done has; otherwise they are chunks
  /// with content, and nothing is known of the input.
  bool counts_usage = false;
  double mean_output_tokens = 0.0;  // of requests that are done
  double mean_input_tokens = 0.0;

  // In seconds, of requests that are done, those that ended after the window too: to leave them out
  // would leave out the slowest.
  Distribution first_token;  // from the start to the first content
  Distribution inter_token;  // between two chunks with content
  Distribution end_to_end;

  std::vector<ErrorCount> errors;  // the most frequent first
};

/// seconds: the length of the window, from the start of the run. A request of u tokens by usage and
/// c chunks counts u / c tokens for each chunk inside the window.
[[nodiscard]] LoadSummary summarize(std::span<const CallRecord> records, double seconds);

}  // namespace forge::server::client
