// One request from its bytes, however they are cut. Parsing is Boost.Beast's; what its errors mean
// for the client is ours.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "forge/server/http/request.h"
#include "forge/server/http/response.h"

namespace forge::server::http {

/// Reads one request: the header, then, where the caller goes on, the body. A pure state machine
/// without sockets or clocks.
class RequestParser {
 public:
  explicit RequestParser(int32_t max_header_bytes);

  enum class State { kNeedMore, kDone, kRefused };
  struct Step {
    State state;
    size_t n_taken;  // bytes that need not be shown again
  };

  /// Reads the header. Each call gets the bytes not taken before, and those that came since.
  Step parse_header(std::string_view bytes);
  /// Reads the body after the header, with a limit on its decoded size.
  Step parse_body(std::string_view bytes, int64_t max_body_bytes);

  /// After kRefused: the answer to give. The bytes that follow make no sense any more.
  [[nodiscard]] const Reply& refusal() const { return refusal_; }

  /// After the header is done: all but the body, id, peer, client and path_tail.
  [[nodiscard]] Request& request() { return request_; }
  [[nodiscard]] bool has_body() const { return has_body_; }
  [[nodiscard]] std::optional<uint64_t> content_length() const { return content_length_; }
  [[nodiscard]] bool expects_continue() const;
  [[nodiscard]] bool is_http_1_0() const { return is_http_1_0_; }
  [[nodiscard]] bool wants_keep_alive() const { return wants_keep_alive_; }

 private:
  Step refuse(int status, std::string_view message);
  Step refuse(boost::system::error_code error, std::string_view bytes);
  Step read_header_fields();

  boost::beast::http::request_parser<boost::beast::http::empty_body> header_parser_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> body_parser_;
  Request request_;
  Reply refusal_;
  std::optional<uint64_t> content_length_;
  bool has_body_ = false;
  bool is_http_1_0_ = false;
  bool wants_keep_alive_ = false;
};

}  // namespace forge::server::http
