// Character sets as the `tokenizers` library has them (each sorted by code point). They differ from
// one another and from any one Unicode version because its parts were built at different times; see
// tools/make_tokenizer_unicode_tables.py, which reads them out of the library.
#pragma once

#include <cstdint>
#include <span>

namespace forge::text {

struct CodePointRange {
  uint32_t first = 0;
  uint32_t last = 0;  // inclusive
};

struct CodePointMapping {
  uint32_t first = 0;
  uint32_t last = 0;
  int32_t value = 0;
};

/// What the Punctuation pre-tokenizer splits off (an older Unicode, with all ASCII symbols).
[[nodiscard]] std::span<const CodePointRange> punctuation_table();
/// What the Digits pre-tokenizer splits off (general categories Nd, Nl, No).
[[nodiscard]] std::span<const CodePointRange> numeric_table();
/// What counts as part of a word beside an added token with single_word.
[[nodiscard]] std::span<const CodePointRange> word_table();
/// Code points assigned after Unicode 14; value: an older one of the same category that stands in.
[[nodiscard]] std::span<const CodePointMapping> newer_table();
/// Code points that the library's normalizers leave alone although utf8proc would not.
[[nodiscard]] std::span<const CodePointRange> not_normalized_table();
/// The same for NFKC and NFKD only, on top of not_normalized_table().
[[nodiscard]] std::span<const CodePointRange> not_compatibility_normalized_table();
/// Lower case above ASCII where it is one code point; value: what to add.
[[nodiscard]] std::span<const CodePointMapping> lowercase_table();

}  // namespace forge::text
