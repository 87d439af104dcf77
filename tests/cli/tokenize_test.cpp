// Reference: the text itself (decoding what was encoded gives it back), and one form of the command
// against another; the ids themselves are checked in tests/text.
#include <gtest/gtest.h>

#include <algorithm>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/test_data.h"

namespace forge::cli {
namespace {

Outcome tokenize(const std::vector<std::string>& more, std::string_view input = "") {
  std::vector<std::string> arguments = {"tokenize", stories_folder()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_forge(arguments, input);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return outcome;
}

TEST(Tokenize, TableJsonAndStdinAgree) {
  const std::string text = "Once upon a time, there was a little dog.";
  const std::string json = tokenize({"--text", text, "--json"}).out;
  EXPECT_EQ(tokenize({"--json"}, text).out, json);
  const auto document = json::Document::parse(json, "stdout");
  ASSERT_TRUE(document.ok()) << json;
  const json::Value ids = document->root().find("ids");
  const json::Value pieces = document->root().find("pieces");
  ASSERT_GT(ids.size(), 5u);
  ASSERT_EQ(ids.size(), pieces.size());
  std::string table;
  for (size_t i = 0; i < ids.size(); ++i) {
    table += fmt::format("{:>7}  {}\n", *ids.at(i).as_int(), *pieces.at(i).as_string());
  }
  EXPECT_EQ(tokenize({"--text", text}).out, table);
}

TEST(Tokenize, StdinIsTakenByteForByte) {
  EXPECT_NE(tokenize({"--json"}, "a dog\n").out, tokenize({"--json"}, "a dog").out);
}

TEST(Tokenize, NoSpecialAddsNoneAndReadsNone) {
  const std::string special = "<|endoftext|>";
  const std::string with = tokenize({"--text", special + "dog", "--json"}).out;
  const std::string without = tokenize({"--text", special + "dog", "--json", "--no-special"}).out;
  EXPECT_NE(with.find("\"ids\":[0,0,"), std::string::npos) << with;  // BOS and the token itself
  EXPECT_EQ(without.find("[0,"), std::string::npos) << without;
  EXPECT_EQ(without.find(",0,"), std::string::npos) << without;
}

TEST(Tokenize, DecodeGivesTheTextBack) {
  const std::string text = "The dog ran. \"Stop!\" said Tom\n\tcaf\u00e9 \U0001F436.";
  const std::string json = tokenize({"--text", text, "--json", "--no-special"}).out;
  const auto document = json::Document::parse(json, "stdout");
  ASSERT_TRUE(document.ok());
  const std::string ids = document->root().find("ids").dump();
  EXPECT_EQ(tokenize({"--decode", "--text", ids}).out, text + "\n");
  EXPECT_EQ(tokenize({"--decode"}, ids).out, text + "\n");
  const auto decoded =
      json::Document::parse(tokenize({"--decode", "--json", "--text", ids}).out, "out");
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->root().find("text").as_string(), text);
  EXPECT_EQ(tokenize({"--decode", "--text", "0"}).out, "<|endoftext|>\n");
  EXPECT_EQ(tokenize({"--decode", "--no-special", "--text", "0"}).out, "\n");
}

TEST(Tokenize, LinesOfJson) {
  const Outcome outcome = tokenize({"--jsonl"}, "\"Once\"\n\"a \\n\\u00e9 \\ud83d\\udc36\"\n\"\"");
  std::string ids_lines;
  size_t n_lines = 0;
  for (size_t at = 0; at < outcome.out.size(); ++n_lines) {
    const size_t end = outcome.out.find('\n', at);
    const auto document = json::Document::parse(outcome.out.substr(at, end - at), "line");
    ASSERT_TRUE(document.ok()) << outcome.out;
    ids_lines += document->root().find("ids").dump() + "\n";
    at = end + 1;
  }
  EXPECT_EQ(n_lines, 3u);
  EXPECT_EQ(tokenize({"--jsonl", "--decode", "--no-special"}, ids_lines).out,
            "{\"text\":\"Once\"}\n{\"text\":\"a \\n\u00e9 \U0001F436\"}\n{\"text\":\"\"}\n");
}

TEST(Tokenize, AnswersEachLineBeforeWaitingForTheNext) {
  TemporaryFolder folder;
  // The second question is asked only once the first has been answered; a buffered answer would
  // hang.
  const Outcome outcome = run_shell("cd " + folder.path() + " && mkfifo ask answer && " +
                                    "(timeout 20 \"$FORGE\" tokenize --jsonl < ask > answer & "
                                    "exec 3> ask 4< answer; echo '\"one\"' >&3; read first <&4; "
                                    "echo '\"two\"' >&3; read second <&4; "
                                    "exec 3>&-; echo \"$first\"; echo \"$second\")");
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2)
      << outcome.out << outcome.err;
  EXPECT_EQ(outcome.out.rfind("{\"ids\":", 0), 0u) << outcome.out;
}

TEST(Tokenize, ALineThatIsWrongEndsItWithItsNumber) {
  const auto error = [](const std::vector<std::string>& more, std::string_view input) {
    std::vector<std::string> arguments = {"tokenize", stories_folder(), "--jsonl"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_forge(arguments, input);
    EXPECT_EQ(outcome.exit_code, 1);
    return outcome.err;
  };
  EXPECT_EQ(error({}, "\"a\"\n5\n"),
            "forge: error: stdin: line 2: found 5, expected a JSON string\n");
  EXPECT_TRUE(error({}, "\"a\"\n\"b\n").starts_with("forge: error: stdin: line 2, column "));
  EXPECT_TRUE(error({}, "\"a\"\n\n\"b\"").starts_with("forge: error: stdin: line 2, column 1: "));
  EXPECT_EQ(error({"--decode"}, "\"a\"\n"),
            "forge: error: stdin: line 1: found \"a\", expected a JSON array of token ids\n");
  EXPECT_NE(error({"--decode"}, "[1]\n[1, 999999]\n").find("line 2: element 1 is 999999"),
            std::string::npos);
  const Outcome words = run_forge({"tokenize", stories_folder(), "--decode", "--text", "1 two"});
  EXPECT_EQ(words.err, "forge: error: found \"two\", expected token ids with blanks between\n");
}

TEST(Tokenize, AFolderNeedsOnlyTokenizerFiles) {
  FORGE_REQUIRE_DATA(folder, "tokenizers/llama-2/tokenizer.model");
  TemporaryFolder copy;
  copy.write("tokenizer.model", read_file(folder));
  const Outcome outcome = run_forge({"tokenize", copy.path(), "--text", "Hello", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("15043"), std::string::npos) << outcome.out;  // "▁Hello"
}

TEST(Tokenize, AGgufFileNeedsOnlyItsVocabulary) {
  FORGE_REQUIRE_DATA(packed, "tokenizers/gguf_vocab/ggml-vocab-qwen2.gguf.gz");
  TemporaryFolder folder;
  const Outcome unpacked = run_shell("gzip -dc " + packed + " > " + folder.path("vocab.gguf"));
  ASSERT_EQ(unpacked.exit_code, 0) << unpacked.err;
  const Outcome outcome =
      run_forge({"tokenize", folder.path("vocab.gguf"), "--text", "Hello world", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\"ids\":[9707,1879]"), std::string::npos) << outcome.out;
}

TEST(Tokenize, TenThousandLinesGetTenThousandAnswers) {
  std::string lines;
  for (int i = 0; i < 10000; ++i)
    lines += "\"The little dog number " + std::to_string(i) + " ran.\"\n";
  const Outcome outcome = tokenize({"--jsonl"}, lines);
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 10000);
}

}  // namespace
}  // namespace forge::cli
