// The request target (RFC 9112, 3.2). A pure function, for tests and fuzzing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forge::server::http {

/// The path of "/path?query", "http://host/path?query" or "*" (of OPTIONS *), percent-decoded. No
/// route of ours has a query. Nothing where the target is none of these, an escape is broken, or
/// the decoded path holds control characters or is no UTF-8.
[[nodiscard]] std::optional<std::string> path_of_target(std::string_view text);

}  // namespace forge::server::http
