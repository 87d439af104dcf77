// PCRE2 may be built with older Unicode tables than the tokenizer library's. Since a pattern asks
// only for categories of such characters, it is run on a copy of the text where each code point
// newer than Unicode 14 is replaced by an older one of the same category and UTF-8 length.
#pragma once

#include <string>
#include <string_view>

namespace forge::text {

/// text with stand-ins, byte for byte as long as text. Returns text itself where nothing is
/// replaced, else storage's content. text is valid UTF-8.
[[nodiscard]] std::string_view with_stand_ins(std::string_view text, std::string& storage);

}  // namespace forge::text
