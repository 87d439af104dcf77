// Sizes of memory for people.
#pragma once

#include <cstdint>
#include <string>

namespace forge {

/// "3.84 MiB", "512 B": three digits, binary units.
[[nodiscard]] std::string format_bytes(int64_t bytes);

}  // namespace forge
