// The name by which one request is found in the logs of client and server.
#pragma once

#include <string>
#include <string_view>

namespace forge::server::http {

/// The client's own id where it is 1 to 128 characters of [A-Za-z0-9._-], else a random one of 32
/// hexadecimal digits.
[[nodiscard]] std::string choose_request_id(std::string_view from_client);

}  // namespace forge::server::http
