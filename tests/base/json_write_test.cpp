// Trusts RFC 8259 by hand, and the parser for round trips.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "forge/base/json.h"

namespace forge::json {
namespace {

using std::string_literals::operator""s;

TEST(JsonWrite, EveryKind) {
  Writer w;
  w.begin_object();
  w.member("s", "text").member("i", 7).member("l", int64_t{-5}).member("d", 0.5);
  w.member("t", true).member("sv", std::string_view("view")).member("st", std::string("string"));
  w.key("n").null();
  w.key("a").begin_array().value(1).begin_array().end_array().begin_object().end_object();
  w.end_array().end_object();
  EXPECT_EQ(w.text(), R"({"s":"text","i":7,"l":-5,"d":0.5,"t":true,"sv":"view","st":"string",)"
                      R"("n":null,"a":[1,[],{}]})");
}

TEST(JsonWrite, CopiesOfParsedValues) {
  const auto text = R"({"a":[1,-2.5,18446744073709551615,null,true],"b":{"c":"\u00e9\n","c":{}}})"s;
  const auto document = Document::parse(text, "text");
  ASSERT_TRUE(document.ok());
  Writer w;
  w.begin_array().value(document.value().root()).value(document.value().root().find("a").at(0));
  w.end_array();
  EXPECT_EQ(w.text(), "[" + document.value().root().dump() + ",1]");
}

TEST(JsonWrite, Indented) {
  Writer w(Writer::Layout::kIndented);
  w.begin_object().key("a").begin_array().value(1).value(2).end_array().end_object();
  EXPECT_EQ(w.text(), "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
}

TEST(JsonWrite, Integers) {
  Writer w;
  w.begin_array().value(std::numeric_limits<int64_t>::min());
  w.value(std::numeric_limits<int64_t>::max()).value(std::numeric_limits<uint64_t>::max());
  w.end_array();
  EXPECT_EQ(w.text(), "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}

TEST(JsonWrite, DoublesComeBackExactly) {
  std::mt19937_64 rng(5);
  Writer w;
  w.begin_array();
  std::vector<double> numbers{0.0, -0.0,  0.1,       1e21, 1e-7, 5e-324, 1.7976931348623157e308,
                              1e6, 123.0, -1.0 / 3.0};
  for (int i = 0; i < 2000; ++i) {
    const double d = std::bit_cast<double>(rng());
    if (std::isfinite(d)) numbers.push_back(d);
  }
  for (const double d : numbers) w.value(d);
  w.end_array();
  auto document = Document::parse(w.text(), "written");
  ASSERT_TRUE(document.ok()) << document.error().message;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double back = document->root().at(i).as_double().value();
    ASSERT_EQ(std::bit_cast<uint64_t>(back), std::bit_cast<uint64_t>(numbers[i])) << numbers[i];
  }
}

TEST(JsonWrite, NonFiniteIsNull) {
  Writer w;
  w.begin_array().value(std::nan("")).value(HUGE_VAL).value(-HUGE_VAL).end_array();
  EXPECT_EQ(w.text(), "[null,null,null]");
}

TEST(JsonWrite, Escapes) {
  Writer w;
  w.value("\"\\/\b\f\n\r\t\x01\x1F\x7F\0 \xC3\xA9 \xF0\x9F\x98\x80"s);
  EXPECT_EQ(w.text(),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\x7F\\u0000 \xC3\xA9 \xF0\x9F\x98\x80\"");
}

// Every byte, and keys too: the text that comes out is always one that the parser takes.
TEST(JsonWrite, AnyBytesGiveValidJson) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text{'a', static_cast<char>(byte), 'b'};
    Writer w;
    w.begin_object().member(text, text).end_object();
    auto document = Document::parse(w.text(), "written");
    ASSERT_TRUE(document.ok()) << byte << ": " << document.error().message;
    const std::string expected = byte < 0x80 ? text
                                             : "a\xEF\xBF\xBD"
                                               "b";
    EXPECT_EQ(document->root().key_at(0), expected) << byte;
    EXPECT_EQ(document->root().member_at(0).as_string(), expected) << byte;
  }
}

// Wrong nesting is a bug of the caller and must not make wrong JSON, in release builds either.
TEST(JsonWriteDeathTest, CallsThatDoNotNest) {
  const auto with = [](auto call) {
    Writer w;
    call(w);
  };
  const char* message = "JSON";
  EXPECT_DEATH(with([](Writer& w) { w.end_object(); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_array().end_object(); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_object().end_array(); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_object().value(1); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_object().key("a").end_object(); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_object().key("a").key("b"); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_array().key("a"); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.key("a"); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.value(1).value(2); }), message);
  EXPECT_DEATH(with([](Writer& w) { w.begin_array().end_array().begin_array(); }), message);
}

}  // namespace
}  // namespace forge::json
