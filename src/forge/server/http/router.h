// Which handler answers which method and path.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/server/http/request.h"
#include "forge/server/http/response.h"

namespace forge::server::http {

/// Answers one request. Runs on an io thread beside many others, so it must not block. An exception
/// that leaves it becomes a 500 answer and a line in the access log.
using Handler = std::function<asio::awaitable<void>(const Request&, Response&)>;

enum class Access { kKey, kPublic };

/// One entry of the route table.
struct Route {
  std::string method;  // "GET" also answers HEAD
  /// An exact path ("/v1/models"), or one whose end is free ("/v1/models/{id}": at least one
  /// character, slashes included, since names of models hold them). Exact paths win.
  std::string path;
  Handler handler;
  Access access = Access::kKey;  // kPublic: answered without an API key
  int64_t max_body_bytes = -1;   // -1: the server's limit
};

/// A route table. Filled before the server starts, then only read, from any thread.
class Router {
 public:
  /// Adds a route. Two of the same method and path are a bug.
  void add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: no route of this path, or none for this method
    std::string_view path_tail;    // part of path
    std::string allow;             // methods of this path, "GET, HEAD, OPTIONS"; "": no such path
  };
  /// Finds the route of a decoded path.
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace forge::server::http
