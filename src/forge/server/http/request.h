// An HTTP request as handlers see it: read whole, decoded, and let in.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forge::server::http {

/// Header names and values, in the order of the wire.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request whose header, key and size have been checked and whose body is complete.
struct Request {
  std::string method;  // "POST"
  std::string path;    // percent-decoded, without the query
  std::string body;
  std::string id;         // X-Request-Id of the client if it is sane, else random
  std::string peer;       // "127.0.0.1:5123", "[::1]:5123"
  std::string client;     // name of the API key that was used ("key-1"); "" where none is needed
  std::string path_tail;  // what the route's trailing {id} stands for, decoded; "" without one
  Headers headers;

  /// Value of the first header with this name, in whatever letter case; "" where there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

}  // namespace forge::server::http
