// What all connections of a server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>

#include "forge/server/http/cors.h"
#include "forge/server/http/key_ring.h"
#include "forge/server/http/open_connections.h"
#include "forge/server/http/router.h"
#include "forge/server/http/server_options.h"

namespace forge::server::http {

enum class Phase {
  kServing,
  kDraining,  // no new requests
  kStopping,  // no new bytes
};

/// Read by every io thread; only `phase` and the counts change after the start.
struct Service {
  Service(ServerOptions o, Router r)
      : options(std::move(o)),
        router(std::move(r)),
        keys(options.api_keys),
        cors(options.cors_origins) {}

  const ServerOptions options;
  const Router router;
  const KeyRing keys;
  const Cors cors;
  std::atomic<Phase> phase = Phase::kServing;
  OpenConnections connections;
  std::atomic<int32_t> n_served = 0;  // of these; the others are being turned away

  [[nodiscard]] bool is_serving() const { return phase.load() == Phase::kServing; }
  void report(std::string_view problem) const {
    if (options.on_problem) options.on_problem(problem);
  }
};

}  // namespace forge::server::http
