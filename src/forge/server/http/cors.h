// Which web pages of other origins may use the server (Fetch standard, CORS protocol).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forge/server/http/request.h"

namespace forge::server::http {

/// Immutable, so any thread may ask.
class Cors {
 public:
  /// "*" among the origins allows all of them.
  explicit Cors(std::vector<std::string> origins);

  /// Headers that let the page at the request's Origin read the answer; none where it may not.
  [[nodiscard]] Headers answer_headers(const Request& request) const;

  /// Headers that answer a preflight (OPTIONS with Access-Control-Request-Method), besides the
  /// above. allow: methods of the path.
  [[nodiscard]] Headers preflight_headers(const Request& request, std::string_view allow) const;

  /// Whether a page of this origin may use the server.
  [[nodiscard]] bool allows(std::string_view origin) const;

 private:
  std::vector<std::string> origins_;
  bool allows_all_;
};

}  // namespace forge::server::http
