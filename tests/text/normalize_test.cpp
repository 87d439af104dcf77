// Reference: the `tokenizers` package 0.23 (expected strings come from its normalizers), and
// utf8proc for the proof that inert characters are inert.
#include "forge/text/unicode/normalize.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <vector>

#include "forge/base/utf8.h"
#include "forge/text/pipeline/normalizer.h"

namespace forge::text {
namespace {

std::string apply(const Normalizer& normalizer, std::string text, bool* at_start = nullptr) {
  Segment segment{.text = std::move(text), .at_start = true};
  normalizer.apply(segment);
  if (at_start != nullptr) *at_start = segment.at_start;
  return segment.text;
}

struct FormCase {
  const char* text;
  const char* nfc;
  const char* nfd;
  const char* nfkc;
  const char* nfkd;
};

TEST(NormalizeUnicode, GivesWhatTheLibraryGives) {
  const FormCase cases[] = {
      {"", "", "", "", ""},
      {"aaa", "aaa", "aaa", "aaa", "aaa"},
      {"\u0130I", "\u0130I", "I\u0307I", "\u0130I", "I\u0307I"},
      {"e\u0301\u0323 \ufb01 \u212b \uac01", "\u1eb9\u0301 \ufb01 \u00c5 \uac01",
       "e\u0323\u0301 \ufb01 A\u030a \u1100\u1161\u11a8", "\u1eb9\u0301 fi \u00c5 \uac01",
       "e\u0323\u0301 fi A\u030a \u1100\u1161\u11a8"},
      {"\u1100\u1161\u11a8x\u0344", "\uac01\u1e8d\u0301", "\u1100\u1161\u11a8x\u0308\u0301",
       "\uac01\u1e8d\u0301", "\u1100\u1161\u11a8x\u0308\u0301"},
      // Newer than the library's tables: neither composed nor reordered nor decomposed.
      {"\U00011935\U00011930", "\U00011935\U00011930", "\U00011935\U00011930",
       "\U00011935\U00011930", "\U00011935\U00011930"},
      {"a\u08ca\u0323", "a\u08ca\u0323", "a\u08ca\u0323", "a\u08ca\u0323", "a\u08ca\u0323"},
      {"\u32ff", "\u32ff", "\u32ff", "\u32ff", "\u32ff"}};
  for (const FormCase& entry : cases) {
    EXPECT_EQ(normalize_unicode(entry.text, NormalForm::kNfc), entry.nfc) << entry.text;
    EXPECT_EQ(normalize_unicode(entry.text, NormalForm::kNfd), entry.nfd) << entry.text;
    EXPECT_EQ(normalize_unicode(entry.text, NormalForm::kNfkc), entry.nfkc) << entry.text;
    EXPECT_EQ(normalize_unicode(entry.text, NormalForm::kNfkd), entry.nfkd) << entry.text;
  }
}

TEST(NormalizeUnicode, MarksJoinTheCharacterBeforeThemAcrossRegions) {
  EXPECT_EQ(normalize_unicode("caffe\u0301 e\u0301\u0301e", NormalForm::kNfc),
            "caff\u00e9 \u00e9\u0301e");
  EXPECT_EQ(normalize_unicode("\u304b\u3099\u304b", NormalForm::kNfc), "\u304c\u304b");
  EXPECT_EQ(normalize_unicode("\u0301\u0323", NormalForm::kNfc), "\u0323\u0301");
}

// The rule behind the fast path: no inert code point changes alone, is reordered, or is the second
// part of any composition.
TEST(IsNfcInert, HoldsForUtf8procsTables) {
  std::vector<bool> is_second(0x110000, false);
  std::array<utf8proc_int32_t, 16> parts{};
  int boundary = 0;
  for (utf8proc_int32_t c = 0x80; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const auto count =
        utf8proc_decompose_char(c, parts.data(), parts.size(), UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 1; i < count; ++i) is_second[static_cast<size_t>(parts[i])] = true;
  }
  int inert = 0;
  for (utf8proc_int32_t c = 0x80; c < 0x110000; ++c) {
    if ((c >= 0xD800 && c < 0xE000) || !is_nfc_inert(static_cast<char32_t>(c))) continue;
    ++inert;
    EXPECT_EQ(utf8proc_get_property(c)->combining_class, 0) << std::hex << c;
    EXPECT_FALSE(is_second[static_cast<size_t>(c)]) << std::hex << c;
    std::string text;
    append_utf8(text, static_cast<char32_t>(c));
    utf8proc_uint8_t* nfc = utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
    EXPECT_EQ(text, reinterpret_cast<const char*>(nfc)) << std::hex << c;
    std::free(nfc);
  }
  EXPECT_GT(inert, 40000);
}

TEST(Lowercase, ChangesEachCodePointByItself) {
  EXPECT_EQ(lowercase("\u0130I\u03a3 ABC\u00c9\u212b"), "i\u0307i\u03c3 abc\u00e9\u00e5");
  EXPECT_EQ(lowercase("\ua7da\U00010d50"), "\ua7db\U00010d70");  // Unicode 16
}

TEST(Normalizers, StripPrependReplace) {
  EXPECT_EQ(apply(*make_strip(true, true), " \u3000Hi\u0085 "), "Hi");
  EXPECT_EQ(apply(*make_strip(true, false), " \u3000Hi\u0085 "), "Hi\u0085 ");
  EXPECT_EQ(apply(*make_strip(false, true), " \n "), "");
  EXPECT_EQ(apply(*make_prepend("\u2581"), "Hi"), "\u2581Hi");
  EXPECT_EQ(apply(*make_prepend("\u2581"), ""), "");
  EXPECT_EQ(apply(*make_replace("aa", "b"), "aaa"), "ba");
  auto spaces = Regex::compile(R"(\s+)", "test");
  ASSERT_TRUE(spaces.ok());
  EXPECT_EQ(apply(*make_replace(std::move(spaces).value(), " "), " \u3000Hi\u0085 "), " Hi ");
  EXPECT_EQ(apply(*make_squeeze_spaces(), "  a  b "), "a b");
  EXPECT_EQ(apply(*make_byte_level_normalizer(), " \u00e9"), "\u0120\u00c3\u00a9");
}

TEST(Normalizers, RemovingTheStartIsRemembered) {
  bool at_start = false;
  (void)apply(*make_strip(true, true), " a", &at_start);
  EXPECT_FALSE(at_start);
  (void)apply(*make_strip(true, true), "a ", &at_start);
  EXPECT_TRUE(at_start);
  (void)apply(*make_replace("x", ""), "xa", &at_start);
  EXPECT_FALSE(at_start);
}

}  // namespace
}  // namespace forge::text
