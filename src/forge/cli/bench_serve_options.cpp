#include "forge/cli/bench_serve_options.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "forge/cli/flag_values.h"
#include "forge/server/client/url.h"

namespace forge::cli {
namespace {

constexpr double kDefaultSeconds = 30.0;

void add_load_options(CLI::App& app, BenchServeOptions& options) {
  app.add_option(
         "-c,--concurrency", options.concurrency,
         "Clients that each send their next request when the last is done; one run for each "
         "number")
      ->type_name("N,N,...")
      ->delimiter(',')
      ->group("Load");
  app.add_option("--rate", options.rates,
                 "Requests per second, at random moments whatever the server does (a Poisson "
                 "process); one run for each")
      ->type_name("R,R,...")
      ->delimiter(',')
      ->always_capture_default(false)
      ->excludes(app.get_option("--concurrency"))
      ->group("Load");
  app.add_option("--duration", options.duration,
                 "Seconds of each run; requests under way at its end are waited for; 30 where "
                 "--requests is not given either")
      ->type_name("S")
      ->always_capture_default(false)
      ->group("Load");
  app.add_option("--requests", options.n_requests, "Most requests of each run")
      ->type_name("N")
      ->always_capture_default(false)
      ->group("Load");
  app.add_option("--timeout", options.timeout, "Seconds that a request may take")
      ->type_name("S")
      ->group("Load");
  add_seed_option(
      app, [&options](uint64_t seed) { options.seed = seed; },
      "Of the prompts and the moments of --rate", "0")
      ->group("Load");
}

void add_request_options(CLI::App& app, BenchServeOptions& options) {
  app.add_option("--endpoint", options.endpoint, "completions or chat")
      ->type_name("E")
      ->group("Requests");
  app.add_option("--input-len", options.input_len, "Tokens of each prompt")
      ->type_name("N")
      ->group("Requests");
  app.add_option("--output-len", options.output_len, "Tokens to generate for each")
      ->type_name("N")
      ->group("Requests");
  app.add_option("--prefix-len", options.prefix_len, "Tokens that all prompts begin with")
      ->type_name("N")
      ->group("Requests");
  app.add_option("--prompt-file", options.prompt_file,
                 "Prompts instead of random ones: each line of the file in turn")
      ->type_name("F")
      ->always_capture_default(false)
      ->group("Requests");
  app.add_flag("--token-ids", options.as_ids, "Send token ids instead of text")->group("Requests");
  app.add_option("--vocab", options.vocab_size, "Ids are drawn from the upper half of this many")
      ->type_name("N")
      ->group("Requests");
  app.add_flag(
         "--stop-at-eos", options.stop_at_eos,
         "Let the model end its texts; otherwise ignore_eos is sent where the server takes it")
      ->group("Requests");
}

Status check_prompts(const BenchServeOptions& options) {
  constexpr int32_t kMostTokens = 1 << 24;
  FORGE_TRY_STATUS(check_range("--input-len", options.input_len, 1, kMostTokens));
  FORGE_TRY_STATUS(check_range("--output-len", options.output_len, 1, kMostTokens));
  FORGE_TRY_STATUS(check_range("--prefix-len", options.prefix_len, 0, kMostTokens));
  FORGE_TRY_STATUS(check_range("--vocab", options.vocab_size, 2, kMostTokens));
  if (options.prefix_len > options.input_len) {
    return make_error("--prefix-len {}: more than --input-len {}", options.prefix_len,
                      options.input_len);
  }
  if (options.endpoint != "completions" && options.endpoint != "chat") {
    return make_error("--endpoint {}: expected completions or chat", options.endpoint);
  }
  if (options.as_ids && options.endpoint == "chat") {
    return make_error("--token-ids: chat messages are text");
  }
  if (!options.prompt_file.empty() && (options.as_ids || options.prefix_len > 0)) {
    return make_error(
        "--prompt-file: its prompts are sent as they are, without --token-ids and "
        "--prefix-len");
  }
  return {};
}

}  // namespace

server::client::Route BenchServeOptions::route() const {
  return endpoint == "chat" ? server::client::Route::kChat : server::client::Route::kCompletions;
}

void add_bench_serve_options(CommandLine& line, BenchServeOptions& options) {
  CLI::App& app = line.app();
  app.add_option("--url", options.url, "The server: http://HOST:PORT, with /v1 or its own prefix")
      ->type_name("URL")
      ->always_capture_default(false)
      ->group("Server");
  app.add_option("-m,--model", options.model,
                 "With --url the name in requests, else the server's first; without --url a model "
                 "that forge serve is started with")
      ->type_name("M")
      ->always_capture_default(false)
      ->group("Server");
  app.add_flag("--offline", options.is_offline,
               "Let the server that is started take its model from the cache only")
      ->group("Server");
  app.add_option("--api-key", options.api_key, "Sent as a bearer token")
      ->type_name("K")
      ->envname("FORGE_API_KEY")
      ->always_capture_default(false)
      ->group("Server");
  add_load_options(app, options);
  add_request_options(app, options);
  app.add_flag("--json", options.json, "Print one JSON object")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
}

Status check(BenchServeOptions& options) {
  constexpr int32_t kMostClients = 1 << 20;
  constexpr int64_t kMostRequests = int64_t{1} << 40;
  constexpr double kMostRate = 1e6;
  constexpr double kMostSeconds = 1e6;
  if (options.url.empty() && options.model.empty()) {
    return make_error("no server: expected --url, or --model to start one");
  }
  if (!options.url.empty()) {
    const Result<server::client::Url> url = server::client::parse_url(options.url);
    if (!url.ok()) return make_error("--url {}", url.error().message);
  }
  for (const int32_t n : options.concurrency) {
    FORGE_TRY_STATUS(check_range("--concurrency", n, 1, kMostClients));
  }
  for (const double rate : options.rates) {
    if (!(rate > 0.0 && rate <= kMostRate)) {
      return make_error("--rate {}: expected more than 0, at most {}", rate, kMostRate);
    }
  }
  if (options.n_requests) {
    FORGE_TRY_STATUS(check_range("--requests", *options.n_requests, 1, kMostRequests));
  }
  if (!options.duration && !options.n_requests) options.duration = kDefaultSeconds;
  if (options.duration && !(*options.duration > 0.0 && *options.duration <= kMostSeconds)) {
    return make_error("--duration {}: expected more than 0, at most {}", *options.duration,
                      kMostSeconds);
  }
  if (!(options.timeout > 0.0 && options.timeout <= kMostSeconds)) {
    return make_error("--timeout {}: expected more than 0, at most {}", options.timeout,
                      kMostSeconds);
  }
  return check_prompts(options);
}

}  // namespace forge::cli
