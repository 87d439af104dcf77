// The SHA-256 of a file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::convert {

/// 64 lower-case hex digits.
[[nodiscard]] bool is_sha256(std::string_view text);

/// Reads the file once; its pages are not kept resident. on_bytes hears of every piece of n bytes;
/// false ends it with an error. Fails where the file cannot be read.
[[nodiscard]] Result<std::string> sha256_of_file(const std::string& path,
                                                 const std::function<bool(int64_t n)>& on_bytes);

}  // namespace forge::convert
