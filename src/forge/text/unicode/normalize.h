// Unicode normalization forms and lower case, as the `tokenizers` library gives them.
#pragma once

#include <string>
#include <string_view>

namespace forge::text {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// text is valid UTF-8. Source: Unicode Standard Annex 15, by way of utf8proc; code points newer
/// than the library's tables stay as they are.
[[nodiscard]] std::string normalize_unicode(std::string_view text, NormalForm form);

/// Lower case of each code point by itself (no final sigma rule).
[[nodiscard]] std::string lowercase(std::string_view text);

/// A code point that NFC leaves alone wherever it stands: a starter, already composed, never the
/// second part of a composition. May say false for some that are; covers the scripts most text is
/// in.
[[nodiscard]] bool is_nfc_inert(char32_t c);

}  // namespace forge::text
