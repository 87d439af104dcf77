// What the HTTP server listens to and what it lets pass.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace forge::server::http {

/// A secret and the name it goes by in logs and quotas.
struct ApiKey {
  std::string name;  // "key-1"
  std::string key;
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name that is looked up
  uint16_t port = 0;               // 0: any free one, see Server::port()
  int32_t n_threads = 2;           // that read, write and run handlers
  int32_t max_connections = 4096;  // more get 503 (with TLS: are closed)

  int64_t max_body_bytes = int64_t{16} << 20;  // of one request; a route may have its own limit
  int32_t max_header_bytes = 16 << 10;         // request line and headers

  /// From the first byte of a request (of a connection: from its start, TLS handshake included) to
  /// the end of its header.
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{60'000};   // for a whole body
  std::chrono::milliseconds idle_timeout{75'000};   // between two requests
  std::chrono::milliseconds write_timeout{30'000};  // until one write is with the system

  /// PEM files; both or none. A certificate makes every connection TLS (1.2 or 1.3).
  std::string tls_cert;  // the chain, the server's own certificate first
  std::string tls_key;

  std::vector<ApiKey> api_keys;           // empty: everybody is let in
  std::vector<std::string> cors_origins;  // "https://chat.example", or "*"; empty: no CORS

  /// Told one JSON object per request, without a line end: time, id, method, path, status, bytes,
  /// ms, peer, client, and what the handler noted. From any io thread; must not block long.
  std::function<void(std::string_view line)> access_log;
  /// Told how each request ended, for counting: the path of its route as the table has it, "" where
  /// none was looked for or found, and the access log's status. From any io thread; must not block.
  std::function<void(const std::string& route, int status)> on_answer;
  /// Told of each connection that is taken in, and of its end. Likewise.
  std::function<void()> on_connection_open;
  std::function<void()> on_connection_closed;
  /// Told what the operator should know (no more file descriptors, a handler that threw). From any
  /// io thread.
  std::function<void(std::string_view message)> on_problem;
};

}  // namespace forge::server::http
