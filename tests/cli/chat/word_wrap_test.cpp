// Trusts: the screen of tests/cli/screen.h, and rows written out by hand.
#include "forge/cli/chat/word_wrap.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forge/base/utf8.h"
#include "tests/cli/screen.h"

namespace forge::cli::chat {
namespace {

using Rows = std::vector<std::string>;

/// The screen after a text that comes in pieces of so many characters.
Rows wrapped(std::string_view text, int n_columns, size_t n_characters) {
  Screen screen(n_columns);
  WordWrap wrap;
  while (!text.empty()) {
    size_t end = 0;
    for (size_t n = 0; n < n_characters && end < text.size(); ++n) {
      end += static_cast<size_t>(decode_utf8(text, end).length);
    }
    screen.write(wrap.pass(text.substr(0, end), n_columns));
    text.remove_prefix(end);
  }
  return screen.rows();
}

/// The same rows, however the text is cut.
void expect_rows(std::string_view text, int n_columns, const Rows& rows) {
  for (size_t n = 1; n <= text.size(); ++n) {
    EXPECT_EQ(wrapped(text, n_columns, n), rows) << "in pieces of " << n;
  }
}

TEST(WordWrap, LinesEndBetweenWords) {
  expect_rows("It was a dark and stormy night; the rain fell in torrents.\nNext one.", 20,
              {"It was a dark and", "stormy night; the", "rain fell in", "torrents.", "Next one."});
}

TEST(WordWrap, ARowIsFilledUpToTheColumnBeforeTheLast) {
  expect_rows("123456789012345 abc x", 20, {"123456789012345 abc", "x"});
  expect_rows("123456789012345 abcd x", 20, {"123456789012345", "abcd x"});
  expect_rows("1234567890123456789 \n x", 20, {"1234567890123456789", " x"});
  expect_rows("1234567890123456789    x", 20, {"1234567890123456789", "x"});
}

TEST(WordWrap, EveryPieceIsSeenAtOnce) {
  WordWrap wrap;
  EXPECT_EQ(wrap.pass("one tw", 12), "one tw");
  EXPECT_EQ(wrap.pass("o thr", 12), "o thr") << "eleven";
  EXPECT_EQ(wrap.pass("ee", 12), "\x1b[3D\x1b[K\nthree");
  EXPECT_EQ(wrap.pass(" four five", 12), " four \nfive") << "nothing is moved that was not seen";
}

TEST(WordWrap, WhatIsLongerThanARowIsTheTerminals) {
  expect_rows("see https://example.org/a/long/path now", 20,
              {"see", "https://example.org/", "a/long/path now"});
  expect_rows("    https://example.org/a/long/path", 20,
              {"    https://example.", "org/a/long/path"});
}

TEST(WordWrap, CodeIsTheTerminals) {
  expect_rows("Try this one, please:\n```sh\ncut -d: -f1 /etc/passwd | sort\n```\nand then go on.",
              20,
              {"Try this one,", "please:", "```sh", "cut -d: -f1 /etc/pas", "swd | sort", "```",
               "and then go on."});
  expect_rows(
      "~~~~\naaaaaaaa bbbbbbbb cccccc\n~~~\naaaaaaaa bbbbbbbb cccccc\n~~~~~ \n"
      "aaaaaaaa bbbbbbbb cccccc",
      20,
      {"~~~~", "aaaaaaaa bbbbbbbb cc", "cccc", "~~~", "aaaaaaaa bbbbbbbb cc", "cccc", "~~~~~",
       "aaaaaaaa bbbbbbbb", "cccccc"});
  expect_rows("```no``` fence\nbut words that are wrapped", 20,
              {"```no``` fence", "but words that are", "wrapped"});
}

TEST(WordWrap, WideCharactersAreTwoCells) {
  expect_rows("これは長い文です。とても長い。", 12, {"これは長い", "文です。と", "ても長い。"});
  expect_rows("ab 日本語です", 12, {"ab 日本語で", "す"});
  // No row begins with a full stop or ends with a bracket.
  expect_rows("これは長い。文", 12, {"これは長", "い。文"});
  expect_rows("一二三四「五", 12, {"一二三四", "「五"});
  expect_rows("party 🎉🎉🎉 time", 12, {"party 🎉🎉", "🎉 time"});
}

TEST(WordWrap, MarksBelongToTheirLetter) {
  expect_rows("aaaa e\u0301e\u0301e\u0301e\u0301e\u0301 b", 12,
              {"aaaa e\u0301e\u0301e\u0301e\u0301e\u0301", "b"});
  expect_rows("aaaaa e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 12,
              {"aaaaa", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301"});
  // A family is one character, which is never torn.
  const std::string family = "\U0001F468\u200d\U0001F469\u200d\U0001F467";
  WordWrap wrap;
  std::string out = wrap.pass("1234567", 12);
  for (const std::string_view part :
       {" ", "\U0001F468", "\u200d", "\U0001F469", "\u200d", "\U0001F467"}) {
    out += wrap.pass(part, 12);
  }
  EXPECT_EQ(out, "1234567 " + family);
}

TEST(WordWrap, TabsAreBlanks) { expect_rows("a\tb\tcc dd", 20, {"a       b       cc", "dd"}); }

TEST(WordWrap, TheWidthMayChange) {
  WordWrap wrap;
  EXPECT_EQ(wrap.pass("aaaa bbbb cccc ", 40), "aaaa bbbb cccc ");
  EXPECT_EQ(wrap.pass("dddd", 20), "dddd") << "where this row ends only the terminal knows";
  EXPECT_EQ(wrap.pass("d", 20).find('\x1b'), std::string::npos);
  EXPECT_EQ(wrap.pass(" eeeeeeeeeeee ffff gggg", 20), "\neeeeeeeeeeee ffff \ngggg");
  EXPECT_EQ(wrap.pass(" hhhh iiii jjjj", 40), " hhhh iiii jjjj");
}

TEST(WordWrap, WithoutAWidthTextPasses) {
  for (const int n_columns : {0, 5}) {
    WordWrap wrap;
    EXPECT_EQ(wrap.pass("one two three four", n_columns), "one two three four");
  }
}

TEST(WordWrap, NoWordIsLostOrTorn) {
  std::string text;
  uint32_t random = 1;
  for (int i = 0; i < 600; ++i) {
    random = random * 1664525 + 1013904223;
    text += (i == 0 ? "" : random % 97 == 0 ? "\n\n" : " ");
    text += std::string(1 + (random >> 8) % 9, static_cast<char>('a' + (random >> 16) % 26));
  }
  for (const int n_columns : {10, 11, 40, 80}) {
    for (const size_t n : {1u, 2u, 3u, 5u, 700u}) {
      std::string joined;
      for (const std::string& row : wrapped(text, n_columns, n)) {
        EXPECT_LT(row.size(), static_cast<size_t>(n_columns));
        joined += (joined.empty() || joined.ends_with('\n') ? ""
                   : row.empty()                            ? "\n\n"
                                                            : " ") +
                  row;
      }
      EXPECT_EQ(joined, text) << n_columns << " " << n;
    }
  }
}

}  // namespace
}  // namespace forge::cli::chat
