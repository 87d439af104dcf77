// Trusts: OpenAI's batch format (its guide's examples, written out by hand), and the lines that a
// test has written itself.
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "forge/base/json.h"
#include "forge/server/batch/input_line.h"
#include "forge/server/batch/line_reader.h"
#include "forge/server/batch/output_line.h"
#include "tests/server/openai_fixture.h"
#include "tests/temporary_folder.h"

namespace forge::server::batch {
namespace {

struct ReadLine {
  std::string text;
  int64_t length;
  bool has_line_end;
  friend bool operator==(const ReadLine&, const ReadLine&) = default;
};

std::vector<ReadLine> read_lines(const std::string& bytes, size_t max_line_bytes) {
  const TemporaryFolder folder;
  Result<LineReader> reader = LineReader::open(folder.write("in", bytes), max_line_bytes);
  EXPECT_TRUE(reader.ok());
  std::vector<ReadLine> lines;
  Line line;
  while (reader->next(line).value()) {
    lines.push_back({std::string(line.text), line.length, line.has_line_end});
    EXPECT_EQ(line.number, static_cast<int64_t>(lines.size()));
  }
  return lines;
}

TEST(BatchLines, AreReadAsTheyStand) {
  using Lines = std::vector<ReadLine>;
  EXPECT_EQ(read_lines("", 9), Lines{});
  EXPECT_EQ(read_lines("\n", 9), (Lines{{"", 0, true}}));
  EXPECT_EQ(read_lines("a\n\nbc", 9), (Lines{{"a", 1, true}, {"", 0, true}, {"bc", 2, false}}));
  EXPECT_EQ(read_lines("a\r\n", 9), (Lines{{"a\r", 2, true}}));
  EXPECT_EQ(read_lines("abcdef\ngh\n", 4), (Lines{{"abcd", 6, true}, {"gh", 2, true}}));
}

TEST(BatchLines, AnyLengthAgainstTheReadersChunks) {
  for (const size_t n : {262143u, 262144u, 262145u, 600000u}) {
    const std::string text(n, 'x');
    const auto lines = read_lines(text + "\nend\n" + text, 1 << 20);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].text, text);
    EXPECT_EQ(lines[1].text, "end");
    EXPECT_EQ(lines[2].text, text);
    // A line beyond the most bytes costs no memory and does not move the next.
    const auto cut = read_lines(text + "\nend\n", 100);
    ASSERT_EQ(cut.size(), 2u);
    EXPECT_EQ(cut[0].text.size(), 100u);
    EXPECT_EQ(cut[0].length, static_cast<int64_t>(n));
    EXPECT_EQ(cut[1].text, "end");
  }
}

TEST(BatchLines, OnlyRegularFilesAreRead) {
  EXPECT_EQ(LineReader::open("/nonexistent", 9).error().message,
            "/nonexistent: cannot be opened: No such file or directory");
  EXPECT_EQ(LineReader::open("/dev/null", 9).error().message,
            "/dev/null: expected a regular file, since it is read more than once");
}

Line line_of(std::string_view text, int64_t number = 7) {
  return {.number = number,
          .text = text,
          .length = static_cast<int64_t>(text.size()),
          .has_line_end = true};
}

TEST(BatchInputLine, OpenAisExample) {
  const auto parsed = parse_input_line(
      line_of(R"({"custom_id": "request-1", "method": "POST", "url": "/v1/chat/completions", )"
              R"("body": {"model": "m", "messages": [{"role": "user", "content": "\u00e9"}], )"
              R"("temperature": 0.10, "seed": 9223372036854775807}})"),
      false);
  const auto& request = std::get<InputRequest>(parsed);
  EXPECT_EQ(request.custom_id, "request-1");
  EXPECT_EQ(request.body.dump(),
            R"({"model":"m","messages":[{"role":"user","content":"é"}],"temperature":0.1,)"
            R"("seed":9223372036854775807})");
  // A mark that some editors put at the start of a file.
  EXPECT_TRUE(std::holds_alternative<InputRequest>(parse_input_line(
      line_of("\xEF\xBB\xBF{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/embeddings\","
              "\"body\":{}}\r",
              1),
      false)));
}

TEST(BatchInputLine, RoutesHaveTheirOwnParsers) {
  const openai::TestModel model;
  const auto refusal_of = [&](const std::string& url) {
    const std::string text =
        R"({"custom_id":"a","method":"POST","url":")" + url + R"(","body":{}})";
    const auto parsed = parse_input_line(line_of(text), false);
    const auto& request = std::get<InputRequest>(parsed);
    return openai::message_of(request.parse(request.body, model.served, model.info));
  };
  EXPECT_EQ(refusal_of("/v1/chat/completions"), "messages: required");
  EXPECT_EQ(refusal_of("/v1/completions"), "prompt: required");
  EXPECT_EQ(refusal_of("/v1/embeddings"), "input: required");
}

TEST(BatchInputLine, WhatIsNoRequest) {
  struct Case {
    std::string text;
    std::string code;
    std::string message;
    std::optional<std::string> custom_id = {};
  };
  const std::string ok_tail = R"("method":"POST","url":"/v1/completions","body":{}})";
  const Case cases[] = {
      {"{", "invalid_json_line", "line 7, column 2: not valid JSON"},
      {"[1]", "invalid_json_line", "line 7: expected an object, got an array"},
      {"{" + ok_tail, "missing_required_parameter", "line 7: custom_id: required"},
      {R"({"custom_id":"",)" + ok_tail, "missing_required_parameter",
       "line 7: custom_id: required"},
      {R"({"custom_id":5,)" + ok_tail, "invalid_custom_id",
       "line 7: custom_id: expected a string, got 5"},
      {R"({"custom_id":"a","custom_id":"b",)" + ok_tail, "invalid_custom_id",
       "line 7: custom_id: given twice", "a"},
      {R"({"custom_id":"a","url":"/v1/completions","body":{}})", "missing_required_parameter",
       "line 7: method: required", "a"},
      {R"({"custom_id":"a","method":"GET","url":"/v1/completions","body":{}})", "invalid_method",
       "line 7: method: expected one of \"POST\", got \"GET\"", "a"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/images","body":{}})", "invalid_url",
       "line 7: url: expected one of \"/v1/chat/completions\", \"/v1/completions\", "
       "\"/v1/embeddings\", got \"/v1/images\"",
       "a"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/completions"})", "missing_required_parameter",
       "line 7: body: required", "a"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/completions","body":"x"})", "invalid_body",
       "line 7: body: expected an object, got \"x\"", "a"},
      {R"({"custom_id":"a","more":1,)" + ok_tail, "invalid_request", "line 7: more: unknown field",
       "a"},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_input_line(line_of(c.text), false);
    const auto* error = std::get_if<LineError>(&parsed);
    ASSERT_NE(error, nullptr) << c.text;
    EXPECT_EQ(error->code, c.code) << c.text;
    EXPECT_EQ(error->message.substr(0, c.message.size()), c.message);
    EXPECT_EQ(error->custom_id, c.custom_id) << c.text;
  }
  Line cut = line_of("{");
  cut.length = 99;
  EXPECT_EQ(std::get<LineError>(parse_input_line(cut, false)).message,
            "line 7: 99 bytes, at most 1 expected");
  EXPECT_TRUE(std::holds_alternative<InputRequest>(
      parse_input_line(line_of(R"({"custom_id":"a","more":1,)" + ok_tail), true)));
}

constexpr LineKey kKey{.number = 12, .hash = 0xc0ffee};

TEST(BatchOutputLine, OpenAisShape) {
  EXPECT_EQ(response_line(kKey, "re\"q", 200, R"({"a":1})"),
            R"({"id":"batch_req_12_0000000000c0ffee","custom_id":"re\"q","response":)"
            R"({"status_code":200,"request_id":"req_12_0000000000c0ffee","body":{"a":1}},)"
            "\"error\":null}\n");
  EXPECT_EQ(error_line(kKey, {.code = "c", .message = "m", .param = "url", .custom_id = "x"}),
            R"({"id":"batch_req_12_0000000000c0ffee","custom_id":"x","response":null,"error":)"
            "{\"code\":\"c\",\"message\":\"m\",\"param\":\"url\",\"line\":12}}\n");
  const std::string line = error_line(kKey, {.code = "c", .message = "a\nb\xFF"});
  const auto parsed = json::Document::parse(line, "line");
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->root().find("custom_id").is_null());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(BatchOutputLine, ItsKeyIsReadBack) {
  const std::string line = response_line(kKey, "a", 200, "{}");
  EXPECT_EQ(read_key(std::string_view(line).substr(0, kKeyBytes)), kKey);
  const LineKey most{.number = INT64_MAX, .hash = UINT64_MAX};
  EXPECT_EQ(read_key(std::string_view(error_line(most, {})).substr(0, kKeyBytes)), most);
  for (const std::string other : {"", "{}", R"({"id":"batch_req_abc","custom_id":"a"})",
                                  R"({"id":"batch_req_0_0000000000c0ffee","custom_id":"a"})",
                                  R"({"id":"batch_req_-1_0000000000c0ffee","custom_id":"a"})",
                                  R"({"id":"batch_req_1_c0ffee","custom_id":"a"})",
                                  R"({"id":"batch_req_1_00000000000c0ffee","custom_id":"a"})"}) {
    EXPECT_EQ(read_key(other), std::nullopt) << other;
  }
  // Whatever is cut off it is not taken for a whole line, nor for a file of somebody else's.
  for (size_t n = 0; n <= line.size(); ++n) EXPECT_TRUE(is_torn(line.substr(0, n))) << n;
  EXPECT_TRUE(is_torn(std::string(10, '\0')));
  EXPECT_FALSE(is_torn("my notes"));
  EXPECT_FALSE(is_torn(R"({"id":"x"})"));
}

}  // namespace
}  // namespace forge::server::batch
