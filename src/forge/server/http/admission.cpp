#include "forge/server/http/admission.h"

#include <fmt/format.h>

#include <utility>

#include "forge/server/http/error_reply.h"

namespace forge::server::http {
namespace {

Reply options_reply(const Request& request, const Router::Match& match, const Cors& cors) {
  Reply reply;
  reply.status = 204;
  const std::string allow = match.allow.empty() ? "GET, HEAD, POST, OPTIONS" : match.allow;
  reply.headers = cors.preflight_headers(request, allow);
  reply.headers.emplace_back("Allow", allow);
  return reply;
}

/// "127.0.0.1:8080", "localhost", "[::1]:80": a name that no foreign name server can make its own.
bool is_address(std::string_view host) {
  if (host.starts_with('[')) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Any page that a browser on this machine shows can send requests here, whoever wrote it, and by
// rebinding its name to this address (DNS rebinding) read the answers. Where no key keeps it out,
// only the server's own pages and those of --cors-origin may.
std::optional<Reply> check_origin(const Request& request, const Service& service) {
  const std::string_view origin = request.header("Origin");
  if (origin.empty() || !service.keys.is_empty() || service.cors.allows(origin)) {
    return std::nullopt;
  }
  const size_t scheme = origin.find("://");
  const std::string_view host = request.header("Host");
  const bool is_own = scheme != std::string_view::npos && origin.substr(scheme + 3) == host;
  if (is_own && is_address(host)) return std::nullopt;
  return error_reply(403, "invalid_request_error",
                     fmt::format("Pages of {} may not use this server (--cors-origin).", origin),
                     {}, "origin_not_allowed");
}

// Nothing where the request may go on.
std::optional<Reply> check_key(Request& request, const KeyRing& keys) {
  if (keys.is_empty()) return std::nullopt;
  const std::string_view authorization = request.header("Authorization");
  if (auto client = keys.find(authorization)) {
    request.client = std::move(*client);
    return std::nullopt;
  }
  Reply reply = error_reply(401, "invalid_request_error",
                            authorization.empty()
                                ? "An API key is needed, as a header \"Authorization: Bearer KEY\"."
                                : "The API key in the Authorization header is not known.",
                            {}, "invalid_api_key");
  reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace

Admission admit(Request& request, std::optional<uint64_t> content_length, const Service& service) {
  Admission admission;
  const Router::Match match = service.router.match(request.method, request.path);
  // A browser's preflight carries no key.
  if (request.method == "OPTIONS" && match.route == nullptr) {
    admission.answer = options_reply(request, match, service.cors);
    return admission;
  }
  admission.answer = check_origin(request, service);
  if (admission.answer) return admission;
  if (match.route == nullptr || match.route->access == Access::kKey) {
    admission.answer = check_key(request, service.keys);
    if (admission.answer) return admission;
  }
  if (match.allow.empty()) {
    admission.answer =
        error_reply(404, "invalid_request_error",
                    fmt::format("Unknown request URL: {} {}.", request.method, request.path), {},
                    "unknown_url");
    return admission;
  }
  if (match.route == nullptr) {
    admission.answer = error_reply(405, "invalid_request_error",
                                   fmt::format("{} is not allowed for {}; allowed: {}.",
                                               request.method, request.path, match.allow),
                                   {}, "method_not_allowed");
    admission.answer->headers.emplace_back("Allow", match.allow);
    return admission;
  }
  admission.route = match.route;
  request.path_tail = match.path_tail;
  admission.max_body_bytes = match.route->max_body_bytes >= 0 ? match.route->max_body_bytes
                                                              : service.options.max_body_bytes;
  if (content_length && *content_length > static_cast<uint64_t>(admission.max_body_bytes)) {
    admission.answer = error_reply(413, "invalid_request_error",
                                   fmt::format("The body of {} bytes is too long; at most {}.",
                                               *content_length, admission.max_body_bytes));
  }
  return admission;
}

}  // namespace forge::server::http
