#include "forge/hub/curl_fault.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>

namespace forge::hub {
namespace {

/// What a server says of itself, as one short line of plain text.
std::string plain(std::string_view text) {
  std::string line(text.substr(0, 200));
  for (char& c : line) c = c < ' ' || c > '~' ? '?' : c;
  return line;
}

/// Retry-After: seconds, or a date.
double retry_after(const std::string& text) {
  if (text.empty()) return -1;
  double seconds = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failure == std::errc() && end == text.data() + text.size() && seconds >= 0) {
    return std::min(seconds, 1e6);
  }
  std::tm date{};
  if (::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date) == nullptr) return -1;
  return std::clamp(std::difftime(::timegm(&date), std::time(nullptr)), 0.0, 1e6);
}

Fault::Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return Fault::Kind::kNoHost;
    case CURLE_COULDNT_CONNECT:
      return Fault::Kind::kRefused;
    case CURLE_OPERATION_TIMEDOUT:
      return Fault::Kind::kTimeout;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
      return Fault::Kind::kCut;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return Fault::Kind::kTls;
    case CURLE_WRITE_ERROR:
      return Fault::Kind::kStopped;
    default:
      return Fault::Kind::kProtocol;
  }
}

}  // namespace

Fault curl_fault(CURLcode code, const std::string& text) {
  const Fault::Kind kind = kind_of(code);
  return {.kind = kind,
          .detail = kind == Fault::Kind::kProtocol ? "fails: " + plain(text) : plain(text)};
}

Fault status_fault(const ResponseHead& head) {
  return {.kind = Fault::Kind::kStatus,
          .status = head.status,
          .code = plain(head.field("x-error-code")),
          .detail = plain(head.field("x-error-message")),
          .retry_after_s = retry_after(head.field("retry-after"))};
}

}  // namespace forge::hub
