// Patterns of tokenizer files are written for Oniguruma (Ruby syntax, Unicode); PCRE2 reads some of
// the same letters differently. This rewrites the first into the second.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::text {

/// The PCRE2 pattern (for UTF and UCP, multi-line) that matches what Oniguruma matches. A construct
/// whose meaning differs and is not rewritten is refused by its text, never passed through:
///
///   Oniguruma      PCRE2 here
///   \h \H          [0-9A-Fa-f] and its complement        (PCRE2: horizontal space)
///   \v             \x{0B}                                (PCRE2: vertical space)
///   \w \W \b \B    the library's word characters         (PCRE2: L, N and "_")
///   \uHHHH         \x{HHHH}
///   \p{Han}        \p{sc:Han}                            (PCRE2: script extensions)
///   (?m)           (?s)
///   X{n}+, nested [ ], &&, [[:x:]], \K, \R, \X ...       refused
[[nodiscard]] Result<std::string> translate_pattern(std::string_view pattern,
                                                    std::string_view origin);

}  // namespace forge::text
