// Trusts: what an output file has before and after, byte by byte.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "forge/server/batch/input_line.h"
#include "forge/server/batch/journal.h"
#include "tests/temporary_folder.h"

namespace forge::server::batch {
namespace {

using Start = Journal::Start;

/// The output line of line `number` of this input.
std::string answer(int64_t number, std::string_view text) {
  const Line line{.number = number,
                  .text = text,
                  .length = static_cast<int64_t>(text.size()),
                  .has_line_end = true};
  return response_line(key_of(line), "a", 200, "{}");
}

std::string open_error(const TemporaryFolder& folder, Start start = Start::kResume) {
  const Result<Journal> journal = Journal::open(folder.path("out"), folder.path("in"), start);
  if (journal.ok()) return "";
  std::string message = journal.error().message;
  const std::string path = folder.path("out");
  while (message.find(path) != message.npos) message.replace(message.find(path), path.size(), "O");
  return message;
}

TEST(BatchJournal, AnUnfinishedLineIsCutOff) {
  const std::string whole = answer(1, "one") + answer(3, "three");
  const std::string next = answer(2, "two");
  for (size_t n = 0; n < next.size(); ++n) {
    const TemporaryFolder folder;
    folder.write("out", whole + next.substr(0, n));
    Result<Journal> journal = Journal::open(folder.path("out"), folder.path("in"), Start::kResume);
    ASSERT_TRUE(journal.ok()) << journal.error().message;
    EXPECT_EQ(read_file(folder.path("out")), whole + next.substr(0, n)) << "changed before begin()";
    EXPECT_EQ(journal->answered().size(), 2);
    EXPECT_TRUE(journal->answered().contains(3));
    EXPECT_FALSE(journal->answered().contains(2));
    ASSERT_TRUE(journal->begin().ok());
    EXPECT_EQ(read_file(folder.path("out")), whole);
    ASSERT_TRUE(journal->append(next).ok());
    EXPECT_EQ(read_file(folder.path("out")), whole + next);
  }
}

TEST(BatchJournal, WhatNoBatchWroteIsLeftAlone) {
  const std::string not_a_batch =
      " is not a line of a batch's output: give another -o, or --overwrite to start anew";
  struct Case {
    std::string bytes;
    std::string message;
  };
  const Case cases[] = {
      {"my notes", "O: line 1" + not_a_batch},
      {"my notes\n", "O: line 1" + not_a_batch},
      {answer(1, "x") + "\n", "O: line 2" + not_a_batch},
      {answer(1, "x") + "{}\n" + answer(2, "x"), "O: line 2" + not_a_batch},
      {answer(1, "x") + std::string(5, '\0') + "\n", "O: line 2" + not_a_batch},
      {answer(1, "x") + answer(1, "x"), "O: line 1 of the input is answered twice"},
  };
  for (const Case& c : cases) {
    const TemporaryFolder folder;
    folder.write("out", c.bytes);
    EXPECT_EQ(open_error(folder), c.message);
    EXPECT_EQ(read_file(folder.path("out")), c.bytes);
    EXPECT_EQ(open_error(folder, Start::kOverwrite), "");
  }
}

TEST(BatchJournal, OverwritingBeginsAtBegin) {
  const TemporaryFolder folder;
  folder.write("out", "my notes");
  Result<Journal> journal = Journal::open(folder.path("out"), folder.path("in"), Start::kOverwrite);
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(read_file(folder.path("out")), "my notes");
  ASSERT_TRUE(journal->begin().ok());
  EXPECT_EQ(read_file(folder.path("out")), "");
}

TEST(BatchJournal, OneWriterAtATime) {
  const TemporaryFolder folder;
  {
    Result<Journal> first = Journal::open(folder.path("out"), folder.path("in"), Start::kResume);
    ASSERT_TRUE(first.ok());
    const Journal moved = std::move(first).value();
    EXPECT_EQ(open_error(folder), "O: another process is writing to it");
    EXPECT_EQ(open_error(folder, Start::kOverwrite), "O: another process is writing to it");
  }
  EXPECT_EQ(open_error(folder), "");
}

TEST(BatchJournal, OnlyAFileOfItsOwn) {
  const TemporaryFolder folder;
  folder.write("in", "x");
  std::filesystem::create_symlink(folder.path("in"), folder.path("out"));
  EXPECT_EQ(open_error(folder, Start::kOverwrite), "O: the output cannot be the input");
  EXPECT_EQ(read_file(folder.path("in")), "x");
  EXPECT_EQ(Journal::open("/dev/null", "in", Start::kResume).error().message,
            "/dev/null: expected a regular file, from which a run can be taken up again");
  EXPECT_EQ(Journal::open("/nonexistent/out", "in", Start::kResume).error().message,
            "/nonexistent/out: cannot be opened: No such file or directory");
}

// What a full disk does: a write takes a part, the next one nothing.
TEST(BatchJournal, APartOfALineIsTakenBack) {
  const TemporaryFolder folder;
  Result<Journal> journal = Journal::open(folder.path("out"), folder.path("in"), Start::kResume);
  ASSERT_TRUE(journal.ok() && journal->begin().ok());
  const std::string first = answer(1, "one");
  ASSERT_TRUE(journal->append(first).ok());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  rlimit limit = old_limit;
  limit.rlim_cur = first.size() + 10;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status full = journal->append(answer(2, "two"));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.error().message.find("cannot be written"), std::string::npos);
  EXPECT_EQ(read_file(folder.path("out")), first);
  EXPECT_TRUE(journal->append(answer(2, "two")).ok());
  EXPECT_EQ(read_file(folder.path("out")), first + answer(2, "two"));
}

std::string count_of(std::string_view input, std::string_view output) {
  const TemporaryFolder folder;
  const std::string in = folder.write("in", input);
  const std::string out = folder.write("out", output);
  const Result<AnsweredLines> answered = AnsweredLines::read(out);
  EXPECT_TRUE(answered.ok());
  const Result<int64_t> count = answered->count_input(in, "OUT", 100);
  return count.ok() ? std::to_string(*count) : count.error().message;
}

TEST(BatchAnsweredLines, AreLookedForInTheInput) {
  EXPECT_EQ(count_of("", ""), "0");
  EXPECT_EQ(count_of("a\n\n \r\nb", ""), "2");
  const std::string output = answer(1, "a") + answer(4, "b");
  EXPECT_EQ(count_of("a\n\n \r\nb", output), "2");
  EXPECT_EQ(count_of("a\n\n \r\nb\nmore\n", output), "3");  // a file may grow
  EXPECT_NE(count_of("a\n\n \r\nB", output).find("OUT answers another line 4 than "),
            std::string::npos);
  EXPECT_NE(count_of("a\n\n", output).find("OUT has 1 answers to lines that "), std::string::npos);
}

}  // namespace
}  // namespace forge::server::batch
