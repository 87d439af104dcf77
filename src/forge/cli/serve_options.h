// The flags of forge serve.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/command_line.h"
#include "forge/cli/model_options.h"
#include "forge/cli/serving_options.h"
#include "forge/server/api/api_server.h"

namespace forge::cli {

struct ServeFlags {
  ModelOptions model;
  RuntimeOptions runtime;
  ServingOptions serving;

  std::string host = "127.0.0.1";
  int32_t port = 8080;
  bool allow_open = false;
  std::vector<std::string> api_keys;
  std::string api_key_file;
  std::string tls_cert;
  std::string tls_key;
  std::vector<std::string> cors_origins;
  std::string access_log;  // a file, "-" for stdout, empty: none

  int32_t max_queue = 1024;
  double prompt_share = 0.5;
  bool share_prefixes = false;
  double queue_timeout_s = 0.0;
  double request_timeout_s = 0.0;
  double drain_timeout_s = 30.0;

  int32_t max_n = 128;
  int32_t max_body_mb = 16;
  int32_t max_connections = 4096;
  int32_t io_threads = 2;
  bool public_metrics = false;
};

void add_serve_options(CommandLine& line, ServeFlags& flags);

/// What can be said without a model: ranges, contradictions, and the rule that a server which
/// others can reach has a key, or --allow-open.
[[nodiscard]] Status check(const ServeFlags& flags);

/// The engine and the server that the flags describe; check() has passed. Fails where the key file
/// cannot be read or holds no key.
[[nodiscard]] EngineOptions serve_engine_options(const ServeFlags& flags);
[[nodiscard]] Result<server::ApiServerOptions> api_server_options(const ServeFlags& flags);

/// Whether only this machine can reach the address.
[[nodiscard]] bool is_loopback(const std::string& host);

}  // namespace forge::cli
