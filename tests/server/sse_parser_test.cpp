// Trusts: the HTML standard's rules and examples of event streams (9.2.6), written out here.
#include "forge/server/client/sse_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace forge::server::client {
namespace {

using Events = std::vector<std::string>;

Events parse(const std::vector<std::string_view>& pieces) {
  SseParser parser;
  Events events;
  const auto keep = [&events](std::string_view data) { events.emplace_back(data); };
  for (const std::string_view piece : pieces) EXPECT_TRUE(parser.feed(piece, keep));
  return events;
}

struct Stream {
  std::string text;
  Events events;
};

const std::vector<Stream>& streams() {
  static const std::vector<Stream> all = {
      {"data: {\"a\":1}\n\ndata: [DONE]\n\n", {"{\"a\":1}", "[DONE]"}},
      {"data: one\r\n\r\ndata: two\r\rdata: three\n\r\n", {"one", "two", "three"}},
      {"data: YHOO\ndata: +2\ndata: 10\n\n", {"YHOO\n+2\n10"}},
      {": a comment\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
       {"first event", "second event", " third event"}},
      {"data\n\ndata\ndata\n\ndata:", {"", "\n"}},
      {"\xEF\xBB\xBF"
       "data: after the mark\n\n",
       {"after the mark"}},
      {"event: ping\ndatum: no\n\nretry: 5\n\n", {}},
      {"data: gr\xC3\xBC\xC3\x9F\n\ndata: cut off", {"gr\xC3\xBC\xC3\x9F"}},
      {"data: a line that no blank line follows\n", {}},
  };
  return all;
}

TEST(SseParser, WholeStreams) {
  for (const Stream& stream : streams()) {
    EXPECT_EQ(parse({stream.text}), stream.events) << stream.text;
  }
}

TEST(SseParser, EveryCutIntoThree) {
  for (const Stream& stream : streams()) {
    const std::string_view text = stream.text;
    for (size_t i = 0; i <= text.size(); ++i) {
      for (size_t j = i; j <= text.size(); ++j) {
        const Events events = parse({text.substr(0, i), text.substr(i, j - i), text.substr(j)});
        ASSERT_EQ(events, stream.events) << stream.text << " at " << i << ", " << j;
      }
    }
  }
}

TEST(SseParser, ByteByByte) {
  for (const Stream& stream : streams()) {
    std::vector<std::string_view> bytes;
    for (size_t i = 0; i < stream.text.size(); ++i) {
      bytes.push_back(std::string_view(stream.text).substr(i, 1));
    }
    EXPECT_EQ(parse(bytes), stream.events) << stream.text;
  }
}

TEST(SseParser, AnEventWithoutEndIsRefused) {
  SseParser parser;
  const auto ignore = [](std::string_view) {};
  const std::string line = "data: " + std::string(1 << 20, 'x') + "\n";
  bool is_fine = true;
  size_t n_lines = 0;
  for (; is_fine && n_lines < 100; ++n_lines) is_fine = parser.feed(line, ignore);
  EXPECT_FALSE(is_fine);
  EXPECT_EQ(n_lines, 16u);
}

}  // namespace
}  // namespace forge::server::client
