// The access log: one JSON object per request.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "forge/server/http/request.h"
#include "forge/server/http/response.h"

namespace forge::server::http {

/// What is known of a request when it is over.
struct AccessRecord {
  std::chrono::system_clock::time_point time;  // when its first byte was looked at
  std::chrono::nanoseconds duration{};
  int status = 0;          // 499: the client left before there was an answer
  int64_t body_bytes = 0;  // of the answer, as handlers gave it
  bool is_cut = false;     // the answer did not get to its end
  std::vector<std::pair<std::string, LogValue>> notes;
};

/// {"time":"2025-01-02T03:04:05.678Z","id":...,"method":...,"path":...,"status":200,"bytes":...,
/// "ms":...,"peer":...,"client":...}, then "cut":true where it applies, then the notes. The path is
/// without the query, which may hold what is nobody's business.
[[nodiscard]] std::string access_line(const Request& request, const AccessRecord& record);

}  // namespace forge::server::http
