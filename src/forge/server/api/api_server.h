// The OpenAI-compatible server: an engine behind HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/engine.h"
#include "forge/server/api/served.h"
#include "forge/server/http/server_options.h"

namespace forge::server {

struct ApiServerOptions {
  http::ServerOptions http;
  ServedOptions served;
  bool public_metrics = false;   // /metrics needs no API key
  bool isolates_clients = true;  // with API keys: no prefix is shared between two of them
  std::chrono::milliseconds queue_timeout{0};  // 0: a request may wait for ever
  std::chrono::milliseconds request_timeout{0};
  /// GET /ready: how old the engine's last sign of life may be while it has work.
  std::chrono::milliseconds ready_bound{10'000};
};

/// Routes, docs/api.md: /v1/completions, /v1/chat/completions, /v1/chat/completions/render,
/// /v1/embeddings, /v1/models, /v1/models/{id}, /tokenize, /detokenize, /health, /ready, /metrics.
/// Any thread may call its methods.
class ApiServer {
 public:
  /// The engine must outlive it. Fails as http::Server::start does, and where the model's chat
  /// template does not compile.
  [[nodiscard]] static Result<std::unique_ptr<ApiServer>> start(Engine& engine,
                                                                ApiServerOptions options);
  /// Cuts what is open.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  [[nodiscard]] uint16_t port() const;

  /// Takes no new connections or requests, and waits for the answers under way. False: the time ran
  /// out, and what was left has been cut.
  bool drain(std::chrono::milliseconds timeout);

 private:
  struct State;
  explicit ApiServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace forge::server
