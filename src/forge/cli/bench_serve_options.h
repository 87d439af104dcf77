// The flags of forge bench serve.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/server/client/completion_request.h"

namespace forge::cli {

struct BenchServeOptions {
  std::string url;          // empty: a server of our own for the model
  std::string model;        // with url: what requests call it; empty: the server's first
  bool is_offline = false;  // of the server that is started
  std::string api_key;
  std::string endpoint = "completions";

  std::vector<int32_t> concurrency = {1, 4, 16, 64};
  std::vector<double> rates;  // where given, instead of concurrency
  std::optional<double> duration;
  std::optional<int64_t> n_requests;
  double timeout = 600.0;
  uint64_t seed = 0;

  int64_t input_len = 128;
  int64_t output_len = 64;
  int64_t prefix_len = 0;
  std::string prompt_file;
  bool as_ids = false;
  int32_t vocab_size = 1000;
  bool stop_at_eos = false;

  bool json = false;
  bool quiet = false;

  [[nodiscard]] server::client::Route route() const;
};

void add_bench_serve_options(CommandLine& line, BenchServeOptions& options);

/// Fails on values out of range and on flags that contradict each other; sets the duration where
/// neither it nor a number of requests is given.
[[nodiscard]] Status check(BenchServeOptions& options);

}  // namespace forge::cli
