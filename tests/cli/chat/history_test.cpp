// Trusts: the bounds and the form stated in line_history.h, on files in a temporary folder.
#include "forge/cli/chat/line_history.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/temporary_folder.h"

namespace forge::cli::chat {
namespace {

std::vector<std::string> entries_of(const std::string& path) {
  const Result<LineHistory> history = LineHistory::open(path);
  EXPECT_TRUE(history.ok()) << history.error().message;
  return history->entries();
}

TEST(LineHistory, ComesBackInTheNextRun) {
  TemporaryFolder folder;
  const std::string path = folder.path("state/forge/chat_history");
  {
    Result<LineHistory> history = LineHistory::open(path);
    ASSERT_TRUE(history.ok()) << history.error().message;
    EXPECT_TRUE(history->add("one").ok());
    EXPECT_TRUE(history->add("two\nlines \"quoted\"").ok());
    EXPECT_TRUE(history->add("two\nlines \"quoted\"").ok());
    EXPECT_TRUE(history->add("  ").ok());
  }
  EXPECT_EQ(entries_of(path), (std::vector<std::string>{"one", "two\nlines \"quoted\""}));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder.path("state/forge").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST(LineHistory, IsCutToTheNewestEntries) {
  TemporaryFolder folder;
  std::string text;
  for (size_t i = 0; i < LineHistory::kMostEntries + 5; ++i) {
    text += "\"entry " + std::to_string(i) + "\"\n";
  }
  const std::string path = folder.write("history", text);
  const std::vector<std::string> entries = entries_of(path);
  EXPECT_EQ(entries.size(), LineHistory::kMostEntries);
  EXPECT_EQ(entries.front(), "entry 5");
  EXPECT_LT(std::filesystem::file_size(path), text.size());
  EXPECT_EQ(entries_of(path), entries);
}

TEST(LineHistory, IsCutToItsMostBytes) {
  TemporaryFolder folder;
  std::string text;
  while (text.size() < 3 * LineHistory::kMostBytes) text += "\"" + std::string(9000, 'x') + "\"\n";
  const std::string path = folder.write("history", text + "\"last\"\n");
  EXPECT_EQ(entries_of(path).back(), "last");
  EXPECT_LE(std::filesystem::file_size(path), LineHistory::kMostBytes);
}

TEST(LineHistory, BrokenLinesAreSkipped) {
  TemporaryFolder folder;
  const std::string path = folder.write("history", "\"one\"\n{broken\n12\n\"tw");
  EXPECT_EQ(entries_of(path), std::vector<std::string>{"one"});
  Result<LineHistory> history = LineHistory::open(path);
  ASSERT_TRUE(history->add("three").ok());
  EXPECT_EQ(entries_of(path), (std::vector<std::string>{"one", "three"}));
}

TEST(LineHistory, OthersMayNotReadIt) {
  TemporaryFolder folder;
  const std::string path = folder.write("history", "\"one\"\n");
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(entries_of(path).size(), 1u);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(LineHistory, WhatIsNoFileIsRefused) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("folder"));
  EXPECT_FALSE(LineHistory::open(folder.path("folder")).ok());
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(LineHistory::open(folder.path("pipe")).ok());
}

}  // namespace
}  // namespace forge::cli::chat
