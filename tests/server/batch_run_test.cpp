// Trusts: the same bodies sent to the server (forge serve's own), each alone; and the rules in
// src/forge/server/batch/batch_run.h, each by an example.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "forge/base/json.h"
#include "forge/server/api/api_server.h"
#include "forge/server/api/served.h"
#include "forge/server/batch/batch_run.h"
#include "tests/engine/bundled.h"
#include "tests/server/test_client.h"
#include "tests/temporary_folder.h"

namespace forge::server::batch {
namespace {

std::unique_ptr<Engine> make_engine(int32_t max_sequences = 4, int32_t max_queue = 1000) {
  EngineOptions options;
  options.n_threads = 1;
  options.max_sequences = max_sequences;
  options.max_queue = max_queue;
  return engine::make_engine(engine::bundled_model(), options);
}

std::string request(const std::string& id, const std::string& body,
                    const std::string& route = "completions") {
  return R"({"custom_id":")" + id + R"(","method":"POST","url":"/v1/)" + route + R"(","body":)" +
         body + "}\n";
}

/// Runs in -> out of the folder.
BatchCounts run(Engine& engine, const TemporaryFolder& folder, BatchOptions options = {}) {
  auto served = Served::create(engine, {});
  Result<LineReader> input = LineReader::open(folder.path("in"), kMaxLineBytes);
  Result<Journal> journal =
      Journal::open(folder.path("out"), folder.path("in"), Journal::Start::kResume);
  EXPECT_TRUE(served.ok() && input.ok() && journal.ok());
  EXPECT_TRUE(journal->begin().ok());
  BatchRun batch(engine, (*served)->model(), *input, *journal, std::move(options));
  const Result<BatchCounts> counts = batch.run();
  EXPECT_TRUE(counts.ok());
  return *counts;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    EXPECT_NE(end, text.npos) << "a line without its end";
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

json::Document parse(const std::string& text) {
  Result<json::Document> document = json::Document::parse(text, "line");
  EXPECT_TRUE(document.ok()) << text;
  return std::move(document).value();
}

/// A body without what may differ between two runs: id and time.
std::string without_names(const json::Value& body) {
  std::string text;
  for (size_t i = 0; i < body.size(); ++i) {
    const std::string_view key = body.key_at(i);
    if (key == "id" || key == "created" || key == "usage") continue;
    text += std::string(key) + "=" + body.member_at(i).dump() + "\n";
  }
  return text;
}

/// Body by custom_id.
std::map<std::string, std::string> bodies_of(const TemporaryFolder& folder) {
  std::map<std::string, std::string> bodies;
  for (const std::string& line : lines_of(read_file(folder.path("out")))) {
    const json::Document document = parse(line);
    const std::string id(document.root().find("custom_id").as_string().value_or(""));
    const json::Value body = document.root().find("response").find("body");
    EXPECT_TRUE(bodies.emplace(id, without_names(body)).second) << id << " twice";
  }
  return bodies;
}

TEST(BatchRun, TheSameBitsAsTheServer) {
  const std::map<std::string, std::pair<std::string, std::string>> calls = {
      {"a", {"completions", R"({"prompt":"Once upon","max_tokens":30,"seed":5,"logprobs":2})"}},
      {"b", {"completions", R"({"prompt":["The cat","A dog"],"n":2,"max_tokens":9,"seed":6})"}},
      {"c", {"completions", R"({"prompt":"One day","max_tokens":40,"seed":7,"stop":[" and"]})"}},
      {"d", {"embeddings", R"({"input":["a story","two"],"dimensions":8})"}},
      {"e", {"completions", R"({"prompt":"x","temperature":9})"}},
      {"f", {"completions", R"({"prompt":"x","model":"gpt-4"})"}},
      {"g", {"chat/completions", R"({"messages":[]})"}},
  };
  const auto engine = make_engine();
  const TemporaryFolder folder;
  std::string input;
  std::map<std::string, std::string> expected;
  {
    ApiServerOptions options;
    options.http.port = 0;
    auto server = ApiServer::start(*engine, std::move(options));
    ASSERT_TRUE(server.ok()) << server.error().message;
    for (const auto& [id, call] : calls) {
      input += request(id, call.second, call.first);
      http::TestClient client((*server)->port());
      const std::string body = client.ask(http::post("/v1/" + call.first, call.second)).body;
      expected[id] = without_names(parse(body).root());
    }
  }
  folder.write("in", input);
  const BatchCounts counts = run(*engine, folder);
  EXPECT_EQ(counts.answered, 4);
  EXPECT_EQ(counts.refused, 3);
  EXPECT_EQ(bodies_of(folder), expected);
}

TEST(BatchRun, BadLinesAreAnsweredAndTheRestGoesOn) {
  const auto engine = make_engine();
  const TemporaryFolder folder;
  const std::string good = R"({"prompt":"Hi","max_tokens":2})";
  folder.write("in", request("a", good) + "no json\n" + "\n" + request("a", good) +
                         request("s", R"({"prompt":"Hi","stream":true})") +
                         request("u", good, "images") + request("b", good).substr(0, 40) + "\n" +
                         request("z", good));
  const BatchCounts counts = run(*engine, folder);
  EXPECT_EQ(counts.answered, 2);
  EXPECT_EQ(counts.refused, 5);
  EXPECT_EQ(counts.unanswered, 0);
  std::map<int64_t, std::string> codes;  // by line
  std::set<std::string> answered;
  for (const std::string& line : lines_of(read_file(folder.path("out")))) {
    const json::Document document = parse(line);
    const json::Value error = document.root().find("error");
    const json::Value response = document.root().find("response");
    if (error.is_object()) {
      EXPECT_TRUE(response.is_null());
      codes[error.find("line").as_int().value()] = error.find("code").as_string().value();
      continue;
    }
    const std::string id(document.root().find("custom_id").as_string().value());
    if (response.find("status_code").as_int() == 200) {
      answered.insert(id);
    } else {
      EXPECT_EQ(id, "s");
      EXPECT_EQ(response.find("body").find("error").find("param").as_string(), "stream");
    }
  }
  EXPECT_EQ(codes, (std::map<int64_t, std::string>{{2, "invalid_json_line"},
                                                   {4, "duplicate_custom_id"},
                                                   {6, "invalid_url"},
                                                   {7, "invalid_json_line"}}));
  EXPECT_EQ(answered, (std::set<std::string>{"a", "z"}));
  // Nothing is left to do, the bad lines included.
  const std::string output = read_file(folder.path("out"));
  const BatchCounts again = run(*engine, folder);
  EXPECT_EQ(again.written() + again.unanswered, 0);
  EXPECT_EQ(read_file(folder.path("out")), output);
}

std::string many_requests(int n) {
  std::string input;
  for (int i = 0; i < n; ++i) {
    input += request("id-" + std::to_string(i), R"({"prompt":"Once upon a time )" +
                                                    std::to_string(i) + R"(","max_tokens":)" +
                                                    std::to_string(1 + i % 7 * 3) + "}");
  }
  return input;
}

// Lines have no seed of their own here: --seed gives them one.
TEST(BatchRun, StoppedAndTakenUpAgainAnywhere) {
  const auto engine = make_engine();
  const TemporaryFolder whole;
  whole.write("in", many_requests(60));
  run(*engine, whole);
  const auto expected = bodies_of(whole);
  ASSERT_EQ(expected.size(), 60u);

  const TemporaryFolder folder;
  folder.write("in", many_requests(60));
  int n_runs = 0;
  for (BatchCounts counts{.was_stopped = true}; counts.was_stopped; ++n_runs) {
    const std::string before = n_runs == 0 ? "" : read_file(folder.path("out"));
    int64_t written = 0;
    BatchOptions options;
    options.on_progress = [&](const BatchCounts& c) { written = c.written(); };
    options.should_stop = [&] { return written >= 5 + n_runs; };
    counts = run(*engine, folder, std::move(options));
    EXPECT_TRUE(read_file(folder.path("out")).starts_with(before));
  }
  EXPECT_GT(n_runs, 3);
  EXPECT_EQ(bodies_of(folder), expected);
  // Another seed, other texts.
  const TemporaryFolder other;
  other.write("in", many_requests(60));
  BatchOptions options;
  options.seed = 1;
  run(*engine, other, std::move(options));
  EXPECT_NE(bodies_of(other), expected);
}

TEST(BatchRun, ABusyEngineIsWaitedFor) {
  const auto engine = make_engine(2, 0);
  const TemporaryFolder folder;
  // The first call alone has more prompts than the engine takes at once.
  std::string prompts = R"("p")";
  for (int i = 0; i < 20; ++i) prompts += R"(,"Once")";
  folder.write("in", request("many", R"({"prompt":[)" + prompts + R"(],"max_tokens":3})") +
                         many_requests(20));
  const BatchCounts counts = run(*engine, folder);
  EXPECT_EQ(counts.answered, 21);
  EXPECT_EQ(bodies_of(folder).size(), 21u);
  EXPECT_EQ(counts.generated_tokens, engine->stats().generated_tokens);
}

TEST(BatchRun, WhatTheEngineCannotAnswerIsLeftForALaterRun) {
  const TemporaryFolder folder;
  folder.write("in", many_requests(60));
  std::vector<std::string> problems;
  {
    const auto engine = make_engine();
    BatchOptions options;
    options.on_progress = [&](const BatchCounts& counts) {
      if (counts.answered >= 10) engine->shut_down();
    };
    options.on_problem = [&](std::string_view problem) { problems.emplace_back(problem); };
    const BatchCounts counts = run(*engine, folder, std::move(options));
    EXPECT_GT(counts.unanswered, 0);
    EXPECT_EQ(counts.answered + counts.unanswered, 60);
    EXPECT_EQ(static_cast<int64_t>(problems.size()), counts.unanswered);
    EXPECT_EQ(problems.back(), "line 60: shutting down: no new requests are taken");
    EXPECT_EQ(static_cast<int64_t>(bodies_of(folder).size()), counts.answered);
  }
  const auto engine = make_engine();
  run(*engine, folder);
  EXPECT_EQ(bodies_of(folder).size(), 60u);
}

TEST(BatchRun, ALinesOwnTimeoutIsItsAnswer) {
  const auto engine = make_engine();
  const TemporaryFolder folder;
  folder.write("in", request("t", R"({"prompt":"Hi","ignore_eos":true,"max_tokens":400,)"
                                  R"("timeout":0.001,"n":4})"));
  const BatchCounts counts = run(*engine, folder);
  EXPECT_EQ(counts.refused, 1);
  EXPECT_NE(read_file(folder.path("out")).find(R"("status_code":503)"), std::string::npos);
  EXPECT_NE(read_file(folder.path("out")).find(R"("code":"timeout")"), std::string::npos);
}

// A line a call holds, and what was read of the file: never the file.
TEST(BatchRun, ReadsNoFurtherThanItCanStart) {
  const auto engine = make_engine(1);
  const TemporaryFolder folder;
  folder.write("in", many_requests(3000));
  int64_t most_waiting = 0;
  int64_t written = 0;
  BatchOptions options;
  options.on_progress = [&](const BatchCounts& counts) {
    written = counts.written();
    most_waiting = std::max<int64_t>(most_waiting, engine->stats().waiting);
  };
  options.should_stop = [&] { return written >= 30; };
  const BatchCounts counts = run(*engine, folder, std::move(options));
  EXPECT_TRUE(counts.was_stopped);
  EXPECT_LE(most_waiting, 16);
  EXPECT_LT(counts.written(), 200);
}

}  // namespace
}  // namespace forge::server::batch
