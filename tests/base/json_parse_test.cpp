// Trusts RFC 8259 by hand.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "tests/temporary_folder.h"

namespace forge::json {
namespace {

using std::string_literals::operator""s;

Document parsed(const std::string& text) {
  auto document = Document::parse(text, "test");
  FORGE_CHECK(document.ok(), "{}", document.error().message);
  return std::move(document).value();
}

std::string error_of(const std::string& text) {
  auto document = Document::parse(text, "a.json");
  return document.ok() ? "(accepted)" : document.error().message;
}

TEST(JsonParse, KindsAndAccess) {
  const Document document = parsed(
      R"({"n":null,"t":true,"f":false,"i":-7,"d":2.5,"s":"x\u00e9\n","a":[1,[2],{}],"o":{"k":"v"}})");
  const Value root = document.root();
  ASSERT_TRUE(root.is_object());
  EXPECT_EQ(root.size(), 8u);
  EXPECT_TRUE(root.find("n").is_null());
  EXPECT_EQ(root.find("n").kind(), Kind::kNull);
  EXPECT_EQ(root.find("t").as_bool(), true);
  EXPECT_EQ(root.find("f").as_bool(), false);
  EXPECT_EQ(root.find("f").kind(), Kind::kBool);
  EXPECT_EQ(root.find("i").as_int(), -7);
  EXPECT_EQ(root.find("i").as_double(), -7.0);
  EXPECT_EQ(root.find("d").as_double(), 2.5);
  EXPECT_EQ(root.find("s").as_string(), "x\xC3\xA9\n");
  EXPECT_EQ(root.find("a").at(1).at(0).as_int(), 2);
  EXPECT_EQ(root.find("a").at(2).size(), 0u);
  EXPECT_EQ(root.find("o").find("k").as_string(), "v");
  EXPECT_EQ(root.key_at(3), "i");
  EXPECT_EQ(root.member_at(3).as_int(), -7);
}

TEST(JsonParse, WrongTypeIsNothing) {
  const Document document = parsed(R"({"s":"1","i":1,"b":true,"a":[]})");
  const Value root = document.root();
  EXPECT_EQ(root.find("s").as_int(), std::nullopt);
  EXPECT_EQ(root.find("s").as_double(), std::nullopt);
  EXPECT_EQ(root.find("i").as_string(), std::nullopt);
  EXPECT_EQ(root.find("i").as_bool(), std::nullopt);
  EXPECT_EQ(root.find("b").as_int(), std::nullopt);
  EXPECT_EQ(root.find("a").as_bool(), std::nullopt);
  EXPECT_EQ(root.find("i").size(), 0u);
}

TEST(JsonParse, MissingStaysMissing) {
  const Document document = parsed(R"({"a":{"b":1}})");
  const Value missing = document.root().find("x");
  EXPECT_TRUE(missing.is_missing());
  EXPECT_FALSE(missing.is_null());
  EXPECT_TRUE(missing.find("y").find("z").is_missing());
  EXPECT_TRUE(document.root().find("a").find("b").find("c").is_missing());
  EXPECT_EQ(missing.as_int(), std::nullopt);
  EXPECT_EQ(missing.as_string(), std::nullopt);
  EXPECT_EQ(missing.size(), 0u);
  EXPECT_EQ(missing.dump(), "(missing)");
  EXPECT_TRUE(document.root().find("A").is_missing()) << "keys are exact";
}

TEST(JsonParse, Numbers) {
  const Document document = parsed(
      R"([9223372036854775807, -9223372036854775808, 9223372036854775808, 18446744073709551615,
          123456789012345678901234567890, 1e6, 10000.0, 1.5, -0, 1e15, 9007199254740993.0,
          0.1, 1e-400, 4.9e-324, 1.7976931348623157e308])");
  const Value n = document.root();
  EXPECT_EQ(n.at(0).as_int(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(n.at(1).as_int(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(n.at(2).as_int(), std::nullopt);
  EXPECT_EQ(n.at(2).as_double(), 0x1p63);
  EXPECT_EQ(n.at(3).as_int(), std::nullopt);
  EXPECT_EQ(n.at(4).as_int(), std::nullopt);
  EXPECT_EQ(n.at(4).as_double(), 123456789012345678901234567890.0);
  EXPECT_EQ(n.at(5).as_int(), 1000000);
  EXPECT_EQ(n.at(6).as_int(), 10000);
  EXPECT_EQ(n.at(7).as_int(), std::nullopt);
  EXPECT_EQ(n.at(8).as_int(), 0);
  EXPECT_EQ(n.at(9).as_int(), 1000000000000000);
  EXPECT_EQ(n.at(10).as_int(), std::nullopt) << "beyond 2^53 a double is no exact integer";
  EXPECT_EQ(n.at(11).as_double(), 0.1);
  EXPECT_EQ(n.at(12).as_double(), 0.0);
  EXPECT_EQ(n.at(13).as_double(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(n.at(14).as_double(), std::numeric_limits<double>::max());
}

// RapidJSON's conversion gave what lay on the stack; found by fuzz/json_fuzz.
TEST(JsonParse, ZeroIsZeroHoweverItIsWritten) {
  for (const char* text :
       {"0.0e-23", "0e-51", "0.00e051", "0.0000000000000000000000000000", "0E-99999999999999999999",
        "1e-400", "1e-99999999999999999999", "123.4e-360"}) {
    const std::string zero = text;
    EXPECT_EQ(parsed(zero).root().as_double(), 0.0) << zero;
    EXPECT_FALSE(std::signbit(*parsed(zero).root().as_double())) << zero;
    EXPECT_EQ(parsed("-" + zero).root().as_double(), 0.0) << zero;
  }
  const std::string many(400, '0');
  EXPECT_EQ(parsed("0." + many + "1").root().as_double(), 0.0);
  EXPECT_EQ(parsed("0." + many + "1e401").root().as_double(), 1.0);
}

TEST(JsonParse, DoublesAreRoundedCorrectly) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const auto expected = std::bit_cast<double>(random());
    if (!std::isfinite(expected)) continue;
    const std::string text = fmt::format("{:.{}e}", expected, 16 + i % 4);
    EXPECT_EQ(parsed(text).root().as_double(), expected) << text;
  }
}

TEST(JsonParse, NumbersBeyondDoublesAreRefused) {
  for (const char* number : {"1e400", "1.8e308", "[-1.8e308]", "17976931348623159e292"}) {
    const auto document = Document::parse(number, "a.json");
    ASSERT_FALSE(document.ok()) << number;
    EXPECT_TRUE(document.error().message.starts_with("a.json: line 1, column ")) << number;
  }
  EXPECT_EQ(error_of("[1, -1.8e308]"),
            "a.json: line 1, column 5: not valid JSON: a number too big for a double");
}

TEST(JsonParse, StringsKeepNulAndSurrogatePairs) {
  const Document document = parsed(R"({"a\u0000b":"\ud83d\ude00\u0000\"\\\/\b\f\r\t"})");
  const Value root = document.root();
  EXPECT_EQ(root.key_at(0), "a\0b"s);
  EXPECT_EQ(root.find("a\0b"s).as_string(), "\xF0\x9F\x98\x80\0\"\\/\b\f\r\t"s);
  EXPECT_TRUE(root.find("a").is_missing());
}

TEST(JsonParse, FirstOfEqualKeys) {
  const Document document = parsed(R"({"k":1,"k":2})");
  EXPECT_EQ(document.root().find("k").as_int(), 1);
  EXPECT_EQ(document.root().size(), 2u);
}

TEST(JsonParse, ErrorsHaveLineAndColumn) {
  EXPECT_EQ(error_of("{\n  \"a\": 1,\n  \"b\": tru\n}").substr(0, 25), "a.json: line 3, column 11");
  EXPECT_EQ(error_of("[1,,2]").substr(0, 24), "a.json: line 1, column 4");
  EXPECT_EQ(error_of("").substr(0, 24), "a.json: line 1, column 1");
  EXPECT_NE(error_of("[1] x").find("line 1, column 5"), std::string::npos);
  EXPECT_NE(error_of("\n\n[1,]").find("line 3, column 4"), std::string::npos);
  EXPECT_EQ(Document::parse("\n[,", "", 7).error().message.substr(0, 17), "line 8, column 2:");
}

TEST(JsonParse, RefusesWhatTheGrammarDoesNotHave) {
  const std::string bad[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "]",
      "{]",
      "[1",
      "[1,]",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{a:1}",
      "'a'",
      "01",
      "1.",
      ".5",
      "+1",
      "-",
      "1e",
      "0x10",
      "NaN",
      "Infinity",
      "-Infinity",
      "nul",
      "True",
      "\"",
      "\"\\\"",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "\"\n\"",
      "\"\t\"",
      "// c\n1",
      "/**/1",
      "1 2",
      "{} {}",
      "[1]]",
      "1e400",
      "-1e400",
  };
  for (const std::string& text : bad) {
    const std::string error = error_of(text);
    EXPECT_EQ(error.substr(0, 13), "a.json: line ") << text;
    EXPECT_EQ(error.find('\n'), std::string::npos) << text;
  }
}

// RapidJSON takes NUL for the end of the text; what follows must not be dropped in silence.
TEST(JsonParse, NulIsNoEnd) {
  EXPECT_EQ(error_of("{}\0{}"s).substr(0, 24), "a.json: line 1, column 3");
  EXPECT_EQ(error_of("[1,\n2]\0"s).substr(0, 24), "a.json: line 2, column 3");
  EXPECT_NE(error_of("\0"s), "(accepted)");
  EXPECT_NE(error_of("[1,\0 2]"s), "(accepted)");
  EXPECT_NE(error_of("\"a\0b\""s), "(accepted)");
}

TEST(JsonParse, RefusesInvalidUtf8) {
  for (const std::string& bytes : {"\xFF"s, "\xC3"s, "\xED\xA0\x80"s, "\xC0\xAF"s,
                                   "\xF4\x90\x80\x80"s, "\xE2\x82"s, "\x80"s}) {
    EXPECT_NE(error_of("\"" + bytes + "\""), "(accepted)");
    EXPECT_NE(error_of("{\"" + bytes + "\":1}"), "(accepted)");
  }
  EXPECT_EQ(error_of("\"\xF4\x8F\xBF\xBF\xEF\xBF\xBD\""), "(accepted)");
}

TEST(JsonParse, NestingIsLimited) {
  const auto nested = [](size_t depth, const std::string& open, const std::string& close) {
    std::string text;
    for (size_t i = 0; i < depth; ++i) text += open;
    text += "1";
    for (size_t i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_EQ(error_of(nested(256, "[", "]")), "(accepted)");
  EXPECT_EQ(error_of(nested(257, "[", "]")),
            "a.json: line 1, column 257: not valid JSON: nested deeper than 256 levels");
  EXPECT_NE(error_of(nested(257, "{\"a\":", "}")).find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of(std::string(10'000'000, '[')).find("nested deeper"), std::string::npos);
  // Brackets in strings do not nest, also behind escaped quotes.
  EXPECT_EQ(error_of("\"" + std::string(1000, '[') + "\""), "(accepted)");
  EXPECT_EQ(error_of("[\"\\\"" + std::string(1000, '{') + "\\\\\"]"), "(accepted)");
  // Many siblings are no depth.
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) wide += "[],{},";
  EXPECT_EQ(error_of(wide + "[]]"), "(accepted)");
}

TEST(JsonParse, TheFirstErrorIsTheOneReported) {
  EXPECT_EQ(error_of("[1,,\"\\udc00\"]").substr(0, 24), "a.json: line 1, column 4");
  EXPECT_EQ(error_of("[1,\"\\udc00\",,]"),
            "a.json: line 1, column 5: not valid JSON: half of a surrogate pair");
  EXPECT_EQ(error_of("\"\\ud83d\\ude00\\\\udc00\""), "(accepted)") << "an escaped backslash";
}

// Every truncation of a document that has everything, each in an allocation that ends with it.
TEST(JsonParse, EveryTruncationIsRefused) {
  const std::string text =
      R"({"a":[1,-2.5e3,true,false,null],"b\u00e9":"\ud83d\ude00x","c":{"d":{}}})";
  ASSERT_EQ(error_of(text), "(accepted)");
  for (size_t n = 0; n < text.size(); ++n) {
    const std::vector<char> cut(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_FALSE(Document::parse({cut.data(), cut.size()}, "cut").ok()) << n;
  }
}

TEST(JsonParse, LoadNamesTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.json", "{\"a\": 1,\n \"b\": }");
  EXPECT_EQ(Document::load(path).error().message.substr(0, path.size() + 19),
            path + ": line 2, column 7:");
  const std::string missing = folder.path("no.json");
  EXPECT_EQ(Document::load(missing).error().message, missing + ": No such file or directory");
}

TEST(JsonParse, DumpIsCompactJson) {
  const Document document = parsed(R"( { "a" : [ 1 , 2.5 , "x\ny\u0001" ] , "b" : null } )");
  EXPECT_EQ(document.root().dump(), R"({"a":[1,2.5,"x\ny\u0001"],"b":null})");
}

TEST(JsonParse, DocumentMovesWithItsValues) {
  Document first = parsed(R"({"k":"value"})");
  const Value value = first.root().find("k");
  const Document second = std::move(first);
  EXPECT_EQ(value.as_string(), "value");
  EXPECT_EQ(second.root().find("k").as_string(), "value");
}

TEST(JsonParseDeathTest, IndexOutOfRange) {
  const Document document = parsed("[1,2]");
  EXPECT_DEATH((void)document.root().at(2), "element 2 of 2");
  EXPECT_DEATH((void)document.root().key_at(0), "member 0 of 2");
  EXPECT_DEATH((void)Value().kind(), "kind\\(\\) of a missing value");
}

}  // namespace
}  // namespace forge::json
