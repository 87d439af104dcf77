#include "forge/server/http/router.h"

#include <algorithm>
#include <utility>

#include "forge/base/check.h"

namespace forge::server::http {
namespace {

constexpr std::string_view kWildcard = "{id}";

// What the pattern's wildcard stands for in the path ("" for an exact pattern), if it matches.
bool matches(std::string_view pattern, std::string_view path, std::string_view& tail) {
  tail = {};
  if (!pattern.ends_with(kWildcard)) return pattern == path;
  pattern.remove_suffix(kWildcard.size());
  if (!path.starts_with(pattern) || path.size() == pattern.size()) return false;
  tail = path.substr(pattern.size());
  return true;
}

}  // namespace

void Router::add(Route route) {
  FORGE_CHECK(route.path.starts_with('/') && route.handler, "route {} {}", route.method,
              route.path);
  for (const auto& other : routes_) {
    FORGE_CHECK(other.method != route.method || other.path != route.path, "two routes {} {}",
                route.method, route.path);
  }
  // Exact paths first, so that the first match is the right one.
  const auto end = std::partition_point(routes_.begin(), routes_.end(), [](const Route& other) {
    return !other.path.ends_with(kWildcard);
  });
  routes_.insert(route.path.ends_with(kWildcard) ? routes_.end() : end, std::move(route));
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match found;
  std::string_view matched_pattern;
  for (const auto& route : routes_) {
    std::string_view tail;
    if (!matches(route.path, path, tail)) continue;
    if (matched_pattern.empty()) matched_pattern = route.path;
    // An exact path hides the wildcards that would match it too.
    if (route.path != matched_pattern) continue;
    found.allow += route.method + (route.method == "GET" ? ", HEAD, " : ", ");
    if (route.method == wanted) {
      found.route = &route;
      found.path_tail = tail;
    }
  }
  if (!found.allow.empty()) found.allow += "OPTIONS";
  return found;
}

}  // namespace forge::server::http
