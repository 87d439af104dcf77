// Trusts: chunks as OpenAI's documents show them, and as vLLM and llama.cpp send them; written out.
#include "forge/server/client/stream_chunk.h"

#include <gtest/gtest.h>

#include <string>

namespace forge::server::client {
namespace {

StreamChunk parse(std::string_view data) {
  const auto chunk = parse_stream_chunk(data);
  EXPECT_TRUE(chunk.ok()) << data;
  return chunk.ok() ? *chunk : StreamChunk{};
}

TEST(StreamChunk, ContentIsTextOfAnyKind) {
  EXPECT_TRUE(parse(R"({"choices":[{"text":" a"}]})").has_content);
  EXPECT_TRUE(parse(R"({"choices":[{"delta":{"content":"a"}}]})").has_content);
  EXPECT_TRUE(parse(R"({"choices":[{"delta":{"reasoning_content":"a"}}]})").has_content);
  EXPECT_TRUE(parse(R"({"choices":[{"delta":{"tool_calls":[{"index":0}]}}]})").has_content);
  EXPECT_TRUE(parse(R"({"choices":[{"text":""},{"text":"b"}]})").has_content);

  EXPECT_FALSE(parse(R"({"choices":[{"delta":{"role":"assistant","content":""}}]})").has_content);
  EXPECT_FALSE(parse(R"({"choices":[{"delta":{"content":null}}]})").has_content);
  EXPECT_FALSE(parse(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})").has_content);
  EXPECT_FALSE(parse(R"({"choices":[]})").has_content);
  EXPECT_FALSE(parse("[DONE]").has_content);
}

// An object in the list's place ended the program.
TEST(StreamChunk, ChoicesThatAreNoListHaveNoContent) {
  for (const std::string_view choices : {R"({"a":1})", R"("text")", "5", "null"}) {
    EXPECT_FALSE(parse(R"({"choices":)" + std::string(choices) + "}").has_content) << choices;
  }
}

TEST(StreamChunk, TheEndAndTheUsage) {
  EXPECT_TRUE(parse("[DONE]").is_done);
  const StreamChunk chunk = parse(
      R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}})");
  EXPECT_FALSE(chunk.is_done);
  ASSERT_TRUE(chunk.usage.has_value());
  EXPECT_EQ(chunk.usage->prompt_tokens, 9);
  EXPECT_EQ(chunk.usage->completion_tokens, 4);
  EXPECT_FALSE(parse(R"({"choices":[],"usage":null})").usage.has_value());
}

TEST(StreamChunk, ErrorsInsideAStream) {
  EXPECT_EQ(parse(R"({"error":{"message":"out of memory","code":500}})").error, "out of memory");
  EXPECT_EQ(parse(R"({"error":"plain"})").error, "plain");
  EXPECT_EQ(parse(R"({"error":{"code":5}})").error, R"({"code":5})");
  EXPECT_FALSE(parse(R"({"choices":[],"error":null})").error.has_value());
}

TEST(StreamChunk, WhatIsNoChunkFails) {
  for (const std::string_view data : {"", "[DONE", "{", "[1]", "\"text\"", "null"}) {
    EXPECT_FALSE(parse_stream_chunk(data).ok()) << data;
  }
}

TEST(StreamChunk, MessagesOfErrorBodies) {
  EXPECT_EQ(error_message(R"({"error":{"message":"bad\nthing"}})"), "bad thing");
  EXPECT_EQ(error_message(R"({"message":"m"})"), "m");
  EXPECT_EQ(error_message(R"({"detail":"d"})"), "d");
  EXPECT_EQ(error_message("<html>"), "<html>");
  EXPECT_EQ(error_message(std::string(199, 'x') + "\xC3\xBC"), std::string(199, 'x'));
}

}  // namespace
}  // namespace forge::server::client
