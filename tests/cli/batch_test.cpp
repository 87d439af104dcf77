// Trusts: forge generate's text for the same prompt and seed; for runs that are killed, an
// uninterrupted one and the bytes that a killed one left.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "forge/base/json.h"
#include "tests/cli/running_program.h"
#include "tests/eventually.h"
#include "tests/sanitizers.h"

namespace forge::cli {
namespace {

using std::chrono::milliseconds;

json::Document parse(const std::string& text) {
  Result<json::Document> document = json::Document::parse(text, "line");
  EXPECT_TRUE(document.ok()) << text;
  return std::move(document).value();
}

/// Completions that take some steps each; every fifth has long output lines.
std::string requests(int n) {
  std::string input;
  for (int i = 0; i < n; ++i) {
    input += R"({"custom_id":"id-)" + std::to_string(i) +
             R"(","method":"POST","url":"/v1/completions","body":{"prompt":"Once upon a time )" +
             std::to_string(i) + R"(","ignore_eos":true,"max_tokens":)" +
             std::to_string(20 + i * 7 % 60) + (i % 5 == 0 ? R"(,"logprobs":5)" : "") + "}}\n";
  }
  return input;
}

/// The choices of each answer, by custom_id.
std::map<std::string, std::string> answers_of(const std::string& output) {
  std::map<std::string, std::string> answers;
  for (size_t at = 0; at < output.size();) {
    const size_t end = output.find('\n', at);
    if (end == output.npos) {
      ADD_FAILURE() << "a line without its end";
      break;
    }
    const json::Document document = parse(output.substr(at, end - at));
    const json::Value body = document.root().find("response").find("body");
    const std::string id(document.root().find("custom_id").as_string().value_or(""));
    EXPECT_TRUE(answers.emplace(id, body.find("choices").dump()).second) << id << " twice";
    at = end + 1;
  }
  return answers;
}

/// Signals it; the exit code, or 128 + signal.
int end(RunningProgram& running, int signal) {
  running.signal(signal);
  return running.wait(kPatience).value_or(-1);
}

size_t size_of(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<size_t>(size);
}

/// Waits until the file has grown beyond this, or the program has ended.
void wait_for_size(const std::string& path, size_t bytes, RunningProgram& running) {
  while (size_of(path) <= bytes && !running.has_ended()) {
    std::this_thread::sleep_for(milliseconds(1));
  }
}

TEST(Batch, TheTextOfGenerate) {
  const TemporaryFolder folder;
  const std::string in = folder.write(
      "in.jsonl",
      R"({"custom_id":"a","method":"POST","url":"/v1/completions","body":{"prompt":"The dragon",)"
      R"("max_tokens":40,"seed":3,"temperature":0.8,"top_p":0.9}})"
      "\n");
  const Outcome batch = run_forge({"batch", in, "-o", folder.path("out.jsonl")});
  ASSERT_EQ(batch.exit_code, 0) << batch.err;
  EXPECT_EQ(batch.out, "");
  EXPECT_NE(batch.err.find("forge: 1 lines: 1 answered, 0 refused; "), std::string::npos)
      << batch.err;
  const Outcome generate =
      run_forge({"generate", "--json", "--prompt", "The dragon", "--max-tokens", "40", "--seed",
                 "3", "--temperature", "0.8", "--top-p", "0.9", "--top-k", "0", "--min-p", "0"});
  ASSERT_EQ(generate.exit_code, 0) << generate.err;
  const json::Document expected = parse(generate.out);
  const json::Document line = parse(read_file(folder.path("out.jsonl")));
  const json::Value body = line.root().find("response").find("body");
  EXPECT_EQ(body.find("choices").at(0).find("text").as_string(),
            expected.root().find("text").as_string());
  EXPECT_EQ(body.find("usage").find("completion_tokens").as_int(),
            expected.root().find("usage").find("completion_tokens").as_int());
}

TEST(Batch, KilledAtAnyMomentItGoesOn) {
  constexpr int kLines = 400;
  constexpr int kKills = 12;
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(kLines));
  const std::string whole = folder.path("whole.jsonl");
  ASSERT_EQ(run_forge({"batch", in, "-o", whole, "-q"}).exit_code, 0);
  const auto expected = answers_of(read_file(whole));
  ASSERT_EQ(expected.size(), static_cast<size_t>(kLines));
  const size_t total = size_of(whole);

  const std::string out = folder.path("out.jsonl");
  std::mt19937 random(4);
  int n_kills = 0;
  std::string before;
  for (int i = 1; i <= kKills; ++i) {
    // Few at once, so that answers come one after the other; from the second kill on where this
    // many bytes are there, and a little later.
    RunningProgram running("batch", {in, "-o", out, "-q", "--max-concurrent", "16"});
    if (i == 1) {
      std::this_thread::sleep_for(milliseconds(random() % 50));
    } else {
      const size_t share = total * static_cast<size_t>(i) / (kKills + 2);
      wait_for_size(out, std::max(size_of(out), share - random() % (total / 30)), running);
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    }
    if (end(running, SIGKILL) == 128 + SIGKILL) ++n_kills;
    const std::string now = i == 1 && size_of(out) == 0 ? "" : read_file(out);
    const size_t kept = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    EXPECT_EQ(now.substr(0, kept), before.substr(0, kept)) << "a line was lost or done again";
    before = now;
  }
  EXPECT_GE(n_kills, kKills / 2) << "too few were killed before their end";
  ASSERT_EQ(run_forge({"batch", in, "-o", out, "-q"}).exit_code, 0);
  EXPECT_EQ(answers_of(read_file(out)), expected);
}

TEST(Batch, ATornLastLineIsDoneAgain) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(5));
  const std::string out = folder.path("out.jsonl");
  ASSERT_EQ(run_forge({"batch", in, "-o", out, "-q"}).exit_code, 0);
  const std::string whole = read_file(out);
  std::filesystem::resize_file(out, whole.size() - 9);
  const Outcome again = run_forge({"batch", in, "-o", out});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_NE(again.err.find("forge: 5 lines: 4 done before, 1 answered, 0 refused; "),
            std::string::npos)
      << again.err;
  EXPECT_EQ(answers_of(read_file(out)), answers_of(whole));
  const Outcome idle = run_forge({"batch", in, "-o", out});
  EXPECT_EQ(idle.exit_code, 0);
  EXPECT_EQ(idle.err, "forge: all 5 lines have been answered\n");
}

TEST(Batch, CtrlCKeepsWhatIsWritten) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(3000));
  const std::string out = folder.path("out.jsonl");
  RunningProgram running("batch", {in, "-o", out, "--max-concurrent", "16"});
  wait_for_size(out, 20'000, running);
  EXPECT_EQ(end(running, SIGINT), 130);
  const auto answers = answers_of(read_file(out));
  EXPECT_GT(answers.size(), 5u);
  EXPECT_LT(answers.size(), 3000u);
}

TEST(Batch, OneProcessPerOutput) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(3000));
  const std::string out = folder.path("out.jsonl");
  RunningProgram running("batch", {in, "-o", out, "-q", "--max-concurrent", "16"});
  wait_for_size(out, 0, running);
  const Outcome second = run_forge({"batch", in, "-o", out});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_EQ(second.err, "forge: error: " + out + ": another process is writing to it\n");
}

// A file of 96 MiB costs no more memory than one of its lines.
TEST(Batch, TheInputIsNeverHeldAsAWhole) {
  if (kIsSanitized) GTEST_SKIP() << "memory under a sanitizer is not the product's";
  const TemporaryFolder folder;
  std::string line = R"({"custom_id":"0000","method":"POST","url":"/v1/completions","body":)"
                     R"({"max_tokens":-1,"prompt":")" +
                     std::string(1 << 20, 'x') + "\"}}\n";
  const auto peak_of = [&](int n_lines) {
    // Written line by line: a child's peak counts what this process holds when it starts.
    std::ofstream file(folder.path("in"), std::ios::binary);
    for (int i = 0; i < n_lines; ++i) file << line.replace(14, 4, std::to_string(1000 + i));
    file.close();
    const Outcome outcome =
        run_forge({"batch", folder.path("in"), "-o", folder.path("out"), "--overwrite"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_NE(outcome.err.find(" 0 answered, " + std::to_string(n_lines) + " refused; "),
              std::string::npos)
        << outcome.err;
    return outcome.peak_resident_bytes;
  };
  // What differs is the allocator's; eight lines more would be 8 MiB.
  EXPECT_LT(peak_of(96), peak_of(2) + (8 << 20));
}

TEST(Batch, ABarOnATerminal) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(400));
  const Outcome outcome = run_shell(
      "script -qec true /dev/null > /dev/null 2>&1 || exit 77; TERM=xterm script -qec \"$FORGE "
      "batch " +
      in + " -o " + folder.path("out") + " --max-concurrent 4\" /dev/null");
  if (outcome.exit_code == 77) GTEST_SKIP() << "script(1) cannot make a terminal here";
  ASSERT_EQ(outcome.exit_code, 0) << outcome.out;
  EXPECT_NE(outcome.out.find("\r\x1b[Kforge: ["), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("/400 lines ("), std::string::npos);
  EXPECT_NE(outcome.out.find(" tok/s, ETA "), std::string::npos);
  EXPECT_NE(outcome.out.find("forge: 400 lines: 400 answered"), std::string::npos);
}

TEST(Batch, WhatCannotBeDoneIsOneLine) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in.jsonl", requests(2));
  const std::string other = folder.write("other.jsonl", requests(1) + "x\n");
  const std::string out = folder.path("out.jsonl");
  ASSERT_EQ(run_forge({"batch", in, "-o", out, "-q"}).exit_code, 0);
  const std::string notes = folder.write("notes", "mine\n");
  const std::string empty = folder.write("empty", "");
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string message;
  };
  const Case cases[] = {
      {{}, 2, "FILE is required"},
      {{in, "-o", out, "--seed", "-1"}, 2, "--seed -1: expected a number from 0 to 2^64 - 1"},
      {{in}, 2, "--output is required"},
      {{in, "-o", out, "--ctx", "-1"}, 2, "--ctx -1"},
      {{in, "-o", out, "--pooling", "cls"}, 2, "--pooling cls"},
      {{in, "-o", out, "--overwrite", "--ctx", "100000"}, 2, "ctx"},
      {{"/nonexistent", "-o", out}, 1, "/nonexistent: cannot be opened"},
      {{folder.path(), "-o", out}, 1, "expected a regular file"},
      {{in, "-o", "/nonexistent/out"}, 1, "/nonexistent/out: cannot be opened"},
      {{in, "-o", in, "--overwrite"}, 1, "the output cannot be the input"},
      {{in, "-o", notes}, 1, "not a line of a batch's output"},
      {{other, "-o", out}, 1, "it belongs to another file, or the file was changed"},
      {{empty, "-o", out}, 1, "it belongs to another file, or the file was cut"},
      {{in, "-o", out, "--overwrite", "--model", "/nonexistent"}, 1, "/nonexistent"},
  };
  const std::string before = read_file(out);
  for (const Case& c : cases) {
    std::vector<std::string> arguments = {"batch"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const Outcome outcome = run_forge(arguments);
    EXPECT_EQ(outcome.exit_code, c.exit_code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(c.message), std::string::npos) << c.message << "\n" << outcome.err;
    EXPECT_EQ(read_file(out), before) << c.message;
    EXPECT_EQ(read_file(notes), "mine\n");
  }
}

}  // namespace
}  // namespace forge::cli
