#include "forge/server/http/cors.h"

#include <algorithm>
#include <utility>

namespace forge::server::http {

Cors::Cors(std::vector<std::string> origins)
    : origins_(std::move(origins)),
      allows_all_(std::find(origins_.begin(), origins_.end(), "*") != origins_.end()) {}

bool Cors::allows(std::string_view origin) const {
  return !origin.empty() &&
         (allows_all_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end());
}

Headers Cors::answer_headers(const Request& request) const {
  Headers headers;
  if (origins_.empty()) return headers;
  // Caches must keep the answers for two origins apart, also those without the header below.
  if (!allows_all_) headers.emplace_back("Vary", "Origin");
  const std::string_view origin = request.header("Origin");
  if (!allows(origin)) return headers;
  headers.emplace_back("Access-Control-Allow-Origin", allows_all_ ? "*" : std::string(origin));
  headers.emplace_back("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
  return headers;
}

Headers Cors::preflight_headers(const Request& request, std::string_view allow) const {
  Headers headers;
  if (!allows(request.header("Origin")) ||
      request.header("Access-Control-Request-Method").empty()) {
    return headers;
  }
  headers.emplace_back("Access-Control-Allow-Methods", allow);
  // SDKs send headers of their own (X-Stainless-...), so those asked for are those allowed.
  const std::string_view asked = request.header("Access-Control-Request-Headers");
  if (!asked.empty()) headers.emplace_back("Access-Control-Allow-Headers", asked);
  headers.emplace_back("Access-Control-Max-Age", "600");
  return headers;
}

}  // namespace forge::server::http
