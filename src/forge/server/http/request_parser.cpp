#include "forge/server/http/request_parser.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <utility>

#include "forge/server/http/error_reply.h"
#include "forge/server/http/target.h"

namespace forge::server::http {
namespace {

namespace beast_http = boost::beast::http;

// Whether the first line ends in "HTTP/" digit "." digit: a version, if not one that we speak.
bool names_a_version(std::string_view bytes) {
  std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  const size_t blank = line.rfind(' ');
  if (blank == std::string_view::npos) return false;
  line.remove_prefix(blank + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return line.size() == 8 && line.starts_with("HTTP/") && is_digit(line[5]) && line[6] == '.' &&
         is_digit(line[7]);
}

}  // namespace

RequestParser::RequestParser(int32_t max_header_bytes) {
  header_parser_.header_limit(static_cast<uint32_t>(max_header_bytes));
  // The limit on the body depends on the route, which the header names.
  header_parser_.body_limit(boost::none);
}

RequestParser::Step RequestParser::parse_header(std::string_view bytes) {
  // Blank lines before a request are to be skipped (RFC 9112, 2.2).
  size_t n_blank = 0;
  if (!header_parser_.got_some()) {
    while (bytes.substr(n_blank).starts_with("\r\n")) n_blank += 2;
    bytes.remove_prefix(n_blank);
    if (bytes.empty() || bytes == "\r") return {State::kNeedMore, n_blank};
  }
  boost::system::error_code error;
  const size_t n_taken = n_blank + header_parser_.put(asio::buffer(bytes), error);
  if (error == beast_http::error::need_more) return {State::kNeedMore, n_taken};
  if (error) return refuse(error, bytes);
  if (!header_parser_.is_header_done()) return {State::kNeedMore, n_taken};
  Step step = read_header_fields();
  step.n_taken = n_taken;
  return step;
}

RequestParser::Step RequestParser::read_header_fields() {
  const auto& message = header_parser_.get();
  request_.method = message.method_string();
  int n_hosts = 0;
  for (const auto& field : message) {
    request_.headers.emplace_back(field.name_string(), field.value());
    if (field.name() == beast_http::field::host) ++n_hosts;
  }
  is_http_1_0_ = message.version() == 10;
  wants_keep_alive_ = message.keep_alive();
  has_body_ = !header_parser_.is_done();
  if (const auto length = header_parser_.content_length()) content_length_ = *length;

  auto path = path_of_target({message.target().data(), message.target().size()});
  if (!path) return refuse(400, "The request target is not a valid path.");
  request_.path = std::move(*path);

  if (n_hosts > 1 || (n_hosts == 0 && !is_http_1_0_)) {
    return refuse(400, "The request needs exactly one Host header.");
  }
  // A body whose end two parties may see at different places is how requests are smuggled.
  const auto encoding = message[beast_http::field::transfer_encoding];
  if (!encoding.empty()) {
    if (is_http_1_0_) return refuse(400, "HTTP/1.0 has no Transfer-Encoding.");
    if (!boost::beast::iequals(encoding, "chunked")) {
      return refuse(501, fmt::format("Transfer-Encoding must be chunked, not \"{}\".",
                                     std::string_view(encoding.data(), encoding.size())));
    }
  }
  const std::string_view expect = request_.header("Expect");
  if (!expect.empty() && !expects_continue()) {
    return refuse(417, fmt::format("Expect must be 100-continue, not \"{}\".", expect));
  }
  if (message.method() == beast_http::verb::unknown) {
    return refuse(501, fmt::format("The method {} is not known.", request_.method));
  }
  return {State::kDone, 0};
}

bool RequestParser::expects_continue() const {
  const std::string_view expect = request_.header("Expect");
  return boost::beast::iequals({expect.data(), expect.size()}, "100-continue");
}

RequestParser::Step RequestParser::parse_body(std::string_view bytes, int64_t max_body_bytes) {
  if (!has_body_) return {State::kDone, 0};
  if (!body_parser_) {
    body_parser_.emplace(std::move(header_parser_));
    body_parser_->body_limit(static_cast<uint64_t>(max_body_bytes));
    body_parser_->eager(true);
  }
  boost::system::error_code error;
  const size_t n_taken = body_parser_->put(asio::buffer(bytes), error);
  if (error && error != beast_http::error::need_more) return refuse(error, bytes);
  if (!body_parser_->is_done()) return {State::kNeedMore, n_taken};
  request_.body = std::move(body_parser_->get().body());
  return {State::kDone, n_taken};
}

RequestParser::Step RequestParser::refuse(int status, std::string_view message) {
  refusal_ = error_reply(status, "invalid_request_error", message);
  return {State::kRefused, 0};
}

RequestParser::Step RequestParser::refuse(boost::system::error_code error, std::string_view bytes) {
  if (error == beast_http::error::header_limit) {
    const bool has_request_line = body_parser_ || !header_parser_.get().target().empty();
    return has_request_line ? refuse(431, "The request's headers are too long.")
                            : refuse(414, "The request line is too long.");
  }
  if (error == beast_http::error::body_limit) {
    return refuse(413, "The request's body is too long.");
  }
  if (error == beast_http::error::bad_version && names_a_version(bytes)) {
    return refuse(505, "The server speaks HTTP/1.1 and HTTP/1.0.");
  }
  return refuse(400, fmt::format("The request is not valid HTTP: {}.", error.message()));
}

}  // namespace forge::server::http
