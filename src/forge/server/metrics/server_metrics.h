// What the server counts and measures, and how /metrics says it. docs/metrics.md explains each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "forge/engine.h"
#include "forge/server/metrics/metric.h"

namespace forge::server {

/// Why a request that was accepted, or would have been, did not run to its end.
enum class AbortReason {
  kClientGone,    // it closed the connection
  kTimeout,       // in the queue or later
  kQueueFull,     // 429
  kShuttingDown,  // 503
  kFailed,        // not the client's fault
};
inline constexpr size_t kAbortReasons = 5;

/// Times of requests, one set for the life of a server. Any thread.
class ServerMetrics {
 public:
  ServerMetrics();

  /// A request that ran to its end: its times and what it cost. Requests that were aborted would
  /// only blur them.
  void on_finished(const RequestTimes& times, const Usage& usage);
  /// Seconds between two deliveries of text of one choice.
  void on_inter_token(double seconds) { inter_token_.observe(seconds); }
  void on_aborted(AbortReason reason) { aborts_[static_cast<size_t>(reason)].add(); }
  /// route: the pattern that matched ("/v1/models/{id}"), never what a client sent, or clients
  /// could make the list grow without end.
  void on_response(const std::string& route, int32_t status);
  void on_connection_open();
  void on_connection_closed() { connections_.add(-1); }

  /// The exposition, with the engine's numbers of this moment.
  [[nodiscard]] std::string render(const EngineStats& engine, const ModelInfo& model,
                                   const EngineInfo& info) const;

 private:
  Histogram first_token_;
  Histogram inter_token_;
  Histogram end_to_end_;
  Histogram queue_;
  Histogram prompt_tokens_;
  Histogram generated_tokens_;
  std::array<Counter, kAbortReasons> aborts_;
  Gauge connections_;
  Counter connections_total_;

  mutable std::mutex responses_mutex_;  // once per request
  std::map<std::pair<std::string, int32_t>, uint64_t> responses_;
};

}  // namespace forge::server
