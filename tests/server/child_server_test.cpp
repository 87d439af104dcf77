// Trusts: the shell, which plays servers that are well, badly and not behaved.
#include "forge/server/client/child_server.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

namespace forge::server::client {
namespace {

Result<std::unique_ptr<ChildServer>> start(const std::string& script,
                                           std::vector<std::string>* lines = nullptr) {
  return ChildServer::start({"/bin/sh", "-c", script}, [lines](std::string_view line) {
    if (lines != nullptr) lines->emplace_back(line);
  });
}

bool is_alive(pid_t process) { return ::kill(process, 0) == 0; }

TEST(ChildServer, TakesTheAddressFromItsStderrAndEndsIt) {
  std::vector<std::string> lines;
  auto server = start(
      "echo loading >&2; echo 'forge: listening on http://127.0.0.1:5 (3 routes)' >&2; "
      "exec sleep 100",
      &lines);
  ASSERT_TRUE(server.ok()) << server.error().message;
  EXPECT_EQ((*server)->url(), "http://127.0.0.1:5");
  const pid_t process = (*server)->process();
  EXPECT_TRUE(is_alive(process));
  *server = nullptr;
  EXPECT_FALSE(is_alive(process));
  EXPECT_EQ(lines, std::vector<std::string>{"loading"});
}

TEST(ChildServer, WhatItWritesIsReadToTheEnd) {
  std::vector<std::string> lines;
  // More than a pipe holds, after the signal or before.
  auto server = start(
      "trap 'ends=1' TERM; echo 'listening on x' >&2; seq 1 50000 >&2; "
      "while [ -z \"$ends\" ]; do sleep 0.01; done; echo bye >&2",
      &lines);
  ASSERT_TRUE(server.ok());
  *server = nullptr;
  ASSERT_EQ(lines.size(), 50001u);
  EXPECT_EQ(lines.back(), "bye");
}

TEST(ChildServer, OneThatEndsSaysWhy) {
  const auto ended = start("echo 'forge: error: no such model' >&2; exit 1");
  ASSERT_FALSE(ended.ok());
  EXPECT_NE(ended.error().message.find("no such model"), std::string::npos);
  const auto missing = ChildServer::start({"/nonexistent"}, [](std::string_view) {});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace forge::server::client
