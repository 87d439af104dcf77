// Status line and headers of an answer, as text.
#pragma once

#include <chrono>
#include <string>

#include "forge/server/http/request.h"

namespace forge::server::http {

/// "HTTP/1.1 200 OK", one line per header, and the blank line. Control characters in values become
/// spaces, so that no value can start a header of its own. minor_version: 0 or 1.
[[nodiscard]] std::string response_head(int minor_version, int status, const Headers& headers);

/// A time as the Date header has it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace forge::server::http
