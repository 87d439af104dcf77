// Checks for what only a bug of Forge itself can cause; outside data goes through Result instead.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace forge {

/// Prints "file:line: check failed: condition: message" on stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               std::string_view message);

}  // namespace forge

/// Always on. FORGE_CHECK(rows == n, "rows {} n {}", rows, n);
#define FORGE_CHECK(condition, ...)                                                      \
  do {                                                                                   \
    if (!(condition)) [[unlikely]] {                                                     \
      ::forge::check_failed(__FILE__, __LINE__, #condition, ::fmt::format(__VA_ARGS__)); \
    }                                                                                    \
  } while (false)

/// For hot loops: on in debug builds only.
#ifdef NDEBUG
#define FORGE_DCHECK(condition, ...) \
  do {                               \
    (void)sizeof(condition);         \
  } while (false)
#else
#define FORGE_DCHECK(condition, ...) FORGE_CHECK(condition, __VA_ARGS__)
#endif
