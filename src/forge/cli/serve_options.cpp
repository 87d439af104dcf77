#include "forge/cli/serve_options.h"

#include <algorithm>
#include <sstream>

#include "forge/cli/flag_values.h"
#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

constexpr const char* kNetwork = "Network";

void add_network_options(CLI::App& app, ServeFlags& flags) {
  app.add_option("--host", flags.host, "Address to listen on")->type_name("A")->group(kNetwork);
  app.add_option("--port", flags.port, "Port; 0: any free one, which is printed")
      ->type_name("N")
      ->envname("FORGE_PORT")
      ->group(kNetwork);
  several(app.add_option("--api-key", flags.api_keys,
                         "A key that clients must send (may be given several times)"))
      ->type_name("K")
      ->group(kNetwork);
  app.add_option("--api-key-file", flags.api_key_file,
                 "A file of keys, one a line: KEY or NAME KEY")
      ->type_name("F")
      ->always_capture_default(false)
      ->group(kNetwork);
  app.add_flag("--allow-open", flags.allow_open,
               "Listen beyond this machine although no key is asked for")
      ->group(kNetwork);
  app.add_option("--tls-cert", flags.tls_cert, "Certificate chain (PEM): serve HTTPS")
      ->type_name("F")
      ->always_capture_default(false)
      ->group(kNetwork);
  app.add_option("--tls-key", flags.tls_key, "Its private key (PEM)")
      ->type_name("F")
      ->always_capture_default(false)
      ->group(kNetwork);
  several(
      app.add_option("--cors-origin", flags.cors_origins,
                     "A web origin that browsers may call from, or * (may be given several times)"))
      ->type_name("O")
      ->group(kNetwork);
  app.add_option("--max-connections", flags.max_connections, "More get 503")
      ->type_name("N")
      ->group(kNetwork);
  app.add_option("--io-threads", flags.io_threads, "Threads that read and write")
      ->type_name("N")
      ->group(kNetwork);
  app.add_option("--access-log", flags.access_log, "One JSON line per request; - is stdout")
      ->type_name("F")
      ->always_capture_default(false)
      ->group(kNetwork);
  app.add_option("--drain-timeout", flags.drain_timeout_s,
                 "Seconds that answers may take after SIGTERM")
      ->type_name("S")
      ->group(kNetwork);
}

void add_capacity_options(CLI::App& app, ServeFlags& flags) {
  app.add_option("--max-queue", flags.max_queue, "Requests that may wait; more get 429")
      ->type_name("N")
      ->group(kCapacityGroup);
  app.add_option("--queue-timeout", flags.queue_timeout_s,
                 "Seconds a request may wait before it gets 503; 0: no limit")
      ->type_name("S")
      ->group(kCapacityGroup);
  app.add_option("--request-timeout", flags.request_timeout_s,
                 "Seconds a request may take in all; 0: no limit")
      ->type_name("S")
      ->group(kCapacityGroup);
  app.add_option("--prompt-share", flags.prompt_share,
                 "Part of a step's time that prompts may take beside running answers")
      ->type_name("X")
      ->group(kCapacityGroup);
  app.add_flag("--share-prefixes", flags.share_prefixes,
               "Share cached prefixes between API keys (whose timing then tells of each other)")
      ->group(kCapacityGroup);
}

void add_api_options(CLI::App& app, ServeFlags& flags) {
  app.add_flag("--public-metrics", flags.public_metrics, "GET /metrics needs no key")
      ->group(kApiGroup);
  app.add_option("--max-n", flags.max_n, "Most choices of a request")
      ->type_name("N")
      ->group(kApiGroup);
  app.add_option("--max-body", flags.max_body_mb, "Largest request, in MiB")
      ->type_name("N")
      ->group(kApiGroup);
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000.0));
}

/// Keys of the flags and of the file. A key's name is for logs and shares; it is never the key.
Result<std::vector<server::http::ApiKey>> read_keys(const ServeFlags& flags) {
  std::vector<server::http::ApiKey> keys;
  const auto add = [&](std::string name, std::string key) {
    if (name.empty()) name = fmt::format("key-{}", keys.size() + 1);
    keys.push_back({std::move(name), std::move(key)});
  };
  for (const std::string& key : flags.api_keys) add({}, key);
  if (flags.api_key_file.empty()) return keys;
  FORGE_TRY(const std::string text, read_text(flags.api_key_file));
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first.empty() || first.front() == '#') continue;
    if (second.empty()) {
      add({}, first);
    } else {
      add(first, second);
    }
  }
  if (keys.empty()) return make_error("{}: no key in it", flags.api_key_file);
  return keys;
}

}  // namespace

void add_serve_options(CommandLine& line, ServeFlags& flags) {
  add_model_option(line, flags.model, ModelArgument::kPositional);
  add_loading_options(line, flags.model);
  add_network_options(line.app(), flags);
  add_serving_options(line, flags.serving);
  add_capacity_options(line.app(), flags);
  add_api_options(line.app(), flags);
  add_runtime_options(line, flags.runtime);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Status check(const ServeFlags& flags) {
  FORGE_TRY_STATUS(check(flags.runtime));
  FORGE_TRY_STATUS(check(flags.serving));
  FORGE_TRY_STATUS(check_range("--port", flags.port, 0, 65535));
  FORGE_TRY_STATUS(check_range("--max-queue", flags.max_queue, 0, kMostTokens));
  FORGE_TRY_STATUS(check_range("--prompt-share", flags.prompt_share, 0.01, 1));
  FORGE_TRY_STATUS(check_range("--queue-timeout", flags.queue_timeout_s, 0, 1e6));
  FORGE_TRY_STATUS(check_range("--request-timeout", flags.request_timeout_s, 0, 1e6));
  FORGE_TRY_STATUS(check_range("--drain-timeout", flags.drain_timeout_s, 0, 1e6));
  FORGE_TRY_STATUS(check_range("--max-n", flags.max_n, 1, 65536));
  FORGE_TRY_STATUS(check_range("--max-body", flags.max_body_mb, 1, 4095));
  FORGE_TRY_STATUS(check_range("--max-connections", flags.max_connections, 1, 1'000'000));
  FORGE_TRY_STATUS(check_range("--io-threads", flags.io_threads, 1, 256));
  if (flags.tls_cert.empty() != flags.tls_key.empty()) {
    return make_error("--tls-cert and --tls-key go together");
  }
  for (const std::string& origin : flags.cors_origins) {
    FORGE_TRY_STATUS(check_origin("--cors-origin", origin));
  }
  const auto is_empty = [](const std::string& key) { return key.empty(); };
  if (std::any_of(flags.api_keys.begin(), flags.api_keys.end(), is_empty)) {
    return make_error("--api-key: expected at least one character");
  }
  const bool has_keys = !flags.api_keys.empty() || !flags.api_key_file.empty();
  if (!has_keys && !is_loopback(flags.host) && !flags.allow_open) {
    return make_error(
        "--host {}: others could use this server without a key: give --api-key, or --allow-open "
        "if that is meant",
        flags.host);
  }
  return {};
}

EngineOptions serve_engine_options(const ServeFlags& flags) {
  EngineOptions options = engine_options(flags.serving, flags.runtime);
  options.max_queue = flags.max_queue;
  options.prompt_share = flags.prompt_share;
  return options;
}

Result<server::ApiServerOptions> api_server_options(const ServeFlags& flags) {
  server::ApiServerOptions options;
  options.http.host = flags.host;
  options.http.port = static_cast<uint16_t>(flags.port);
  options.http.n_threads = flags.io_threads;
  options.http.max_connections = flags.max_connections;
  options.http.max_body_bytes = int64_t{flags.max_body_mb} << 20;
  options.http.tls_cert = flags.tls_cert;
  options.http.tls_key = flags.tls_key;
  FORGE_TRY(options.http.api_keys, read_keys(flags));
  options.http.cors_origins = flags.cors_origins;
  options.served = served_options(flags.serving);
  options.served.limits.max_n = flags.max_n;
  options.public_metrics = flags.public_metrics;
  options.isolates_clients = !flags.share_prefixes;
  options.queue_timeout = milliseconds(flags.queue_timeout_s);
  options.request_timeout = milliseconds(flags.request_timeout_s);
  return options;
}

}  // namespace forge::cli
