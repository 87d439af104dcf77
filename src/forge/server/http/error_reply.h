// Errors as OpenAI's API words them.
#pragma once

#include <string>
#include <string_view>

#include "forge/server/http/response.h"

namespace forge::server::http {

/// The body {"error":{"message":...,"type":...,"param":...,"code":...}}. type is for instance
/// "invalid_request_error", "authentication_error", "rate_limit_error" or "server_error"; an empty
/// param or code becomes null.
[[nodiscard]] std::string error_body(std::string_view message, std::string_view type,
                                     std::string_view param = {}, std::string_view code = {});

/// The whole answer of that body.
[[nodiscard]] Reply error_reply(int status, std::string_view type, std::string_view message,
                                std::string_view param = {}, std::string_view code = {});

}  // namespace forge::server::http
