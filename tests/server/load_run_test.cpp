// Trusts: fake_server.py, whose delays and faults are exact. What is measured cannot be less than a
// delay; how much more it is depends on the machine, so upper bounds are generous.
#include "forge/server/client/load_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "forge/base/json.h"
#include "forge/base/open_files.h"
#include "forge/server/client/completion_request.h"
#include "forge/server/client/load_summary.h"
#include "tests/python_test.h"
#include "tests/sanitizers.h"
#include "tests/server/fake_server.h"

namespace forge::server::client {
namespace {

constexpr double kLate = 0.3;  // s: a busy machine's timers and threads

class LoadRun : public PythonTest {
 protected:
  LoadResult run(const LoadPlan& plan, const std::string& manner, int64_t n_output = 8,
                 Route route = Route::kCompletions) {
    const auto url = parse_url(server_.url());
    auto target = HttpTarget::find(*url, "");
    EXPECT_TRUE(target.ok()) << target.error().message;
    const CompletionRequest request{.route = route, .model = manner, .n_output = n_output};
    LoadHooks hooks;
    hooks.path = path(route);
    hooks.body = [&](int64_t) { return request.body(std::string("a b c")); };
    hooks.on_progress = [](const LoadProgress&) {};
    hooks.is_cancelled = is_cancelled_;
    auto result = run_load(*target, plan, hooks);
    EXPECT_TRUE(result.ok()) << result.error().message;
    return *std::move(result);
  }
  LoadSummary summary(const LoadPlan& plan, const std::string& manner, int64_t n_output = 8) {
    const LoadResult result = run(plan, manner, n_output);
    return summarize(result.records, result.seconds);
  }

  FakeServer server_;
  std::function<bool()> is_cancelled_ = [] { return false; };
};

TEST_F(LoadRun, LatenciesAreTheServersDelays) {
  const LoadSummary s = summary({.n_clients = 4, .n_requests = 16}, "ttft=80 itl=20");
  EXPECT_EQ(s.n_done, 16);
  EXPECT_TRUE(s.errors.empty());
  EXPECT_GE(s.first_token.p50, 0.080);
  EXPECT_LE(s.first_token.p50, 0.080 + kLate);
  EXPECT_EQ(s.inter_token.n, 16 * 7);
  EXPECT_NEAR(s.inter_token.mean, 0.020, kLate / 7);  // the server keeps its dates
  EXPECT_GE(s.end_to_end.p50, 0.080 + 7 * 0.020);
  EXPECT_LE(s.end_to_end.p50, 0.080 + 7 * 0.020 + kLate);
  // Four rounds of four.
  EXPECT_GE(s.seconds, 4 * (0.080 + 7 * 0.020));
  EXPECT_DOUBLE_EQ(s.output_tokens_per_s, 16 * 8 / s.seconds);
}

TEST_F(LoadRun, ChatIsMeasuredFromItsFirstContent) {
  const LoadResult result = run({.n_clients = 1, .n_requests = 2}, "ttft=60", 3, Route::kChat);
  const LoadSummary s = summarize(result.records, result.seconds);
  EXPECT_EQ(s.n_done, 2);
  EXPECT_GE(s.first_token.p50, 0.060);
  EXPECT_EQ(s.inter_token.n, 2 * 2);
}

TEST_F(LoadRun, TokensAreTheServersCountEvenInLargeChunks) {
  LoadSummary s = summary({.n_clients = 2, .n_requests = 4}, "chunk=4");
  EXPECT_TRUE(s.counts_usage);
  EXPECT_DOUBLE_EQ(s.mean_output_tokens, 8.0);
  EXPECT_DOUBLE_EQ(s.mean_input_tokens, 2 * 3 + 7);
  EXPECT_EQ(s.inter_token.n, 4);
  s = summary({.n_clients = 2, .n_requests = 4}, "chunk=4 usage=no");
  EXPECT_FALSE(s.counts_usage);
  EXPECT_DOUBLE_EQ(s.mean_output_tokens, 2.0);
}

TEST_F(LoadRun, EveryFaultHasItsKind) {
  const std::pair<std::string, std::string> kinds[] = {
      {"429", "HTTP 429"},     {"500", "HTTP 500"},          {"cut", "cut off"},
      {"silent", "cut off"},   {"error", "error in stream"}, {"malformed", "malformed"},
      {"endless", "malformed"}};
  for (const auto& [fault, kind] : kinds) {
    // One client, so that every third request is one of three.
    const LoadSummary s = summary({.n_clients = 1, .n_requests = 6}, "every=3 fail=" + fault, 4);
    EXPECT_EQ(s.n_done, 4) << fault;
    EXPECT_EQ(s.n_failed, 2) << fault;
    ASSERT_EQ(s.errors.size(), 1u) << fault;
    EXPECT_EQ(s.errors[0].kind, kind);
    EXPECT_FALSE(s.errors[0].example.empty());
  }
}

TEST_F(LoadRun, AStalledStreamTimesOut) {
  const LoadSummary s = summary({.n_clients = 2, .n_requests = 2, .timeout_s = 0.3}, "fail=stall");
  EXPECT_EQ(s.n_failed, 2);
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.errors[0].kind, "timeout");
  EXPECT_GE(s.seconds, 0.3);
}

TEST_F(LoadRun, AServerThatIsNotThereIsAnErrorOfEveryRequest) {
  Url url = *parse_url(server_.url());
  server_ = FakeServer();  // the old one is gone with its port
  auto target = HttpTarget::find(url, "");
  ASSERT_TRUE(target.ok());
  LoadHooks hooks;
  hooks.body = [](int64_t) { return std::string("{}"); };
  hooks.on_progress = [](const LoadProgress&) {};
  hooks.is_cancelled = is_cancelled_;
  const auto result = run_load(*target, {.n_clients = 1, .n_requests = 2}, hooks);
  ASSERT_TRUE(result.ok());
  const LoadSummary s = summarize(result->records, result->seconds);
  ASSERT_EQ(s.errors.size(), 1u);
  EXPECT_EQ(s.errors[0].kind, "connect");
  EXPECT_EQ(s.errors[0].n, 2);
}

TEST_F(LoadRun, TheDurationEndsTheStartsAndTheWindow) {
  const LoadResult result = run({.n_clients = 2, .seconds = 0.5}, "ttft=200", 1);
  EXPECT_DOUBLE_EQ(result.seconds, 0.5);
  for (const CallRecord& record : result.records) {
    EXPECT_LT(record.start, 0.5);
    EXPECT_TRUE(record.is_done());  // the ones under way at the end are waited for
  }
  EXPECT_GE(result.records.size(), 4u);
  EXPECT_LE(result.records.size(), 6u);
}

TEST_F(LoadRun, ArrivalsAreAPoissonProcess) {
  const LoadPlan plan{.requests_per_s = 400.0, .n_requests = 400, .seed = 7};
  const LoadResult result = run(plan, "ttft=100", 1);
  ASSERT_EQ(result.records.size(), 400u);
  // Gaps are exponential: their mean and deviation are 1 / rate, to within 4 standard errors (of
  // the deviation: sqrt((9 - 1) / 4) as large as of the mean, its fourth central moment being 9).
  double sum = 0.0;
  double squares = 0.0;
  double last = 0.0;
  for (const CallRecord& record : result.records) {
    const double gap = (record.start - last) * plan.requests_per_s;
    EXPECT_GT(gap, 0.0);
    sum += gap;
    squares += (gap - 1.0) * (gap - 1.0);
    last = record.start;
    EXPECT_TRUE(record.is_done());
    EXPECT_GE(record.content_times.at(0) - record.start, 0.100);
  }
  EXPECT_NEAR(sum / 400, 1.0, 4 / std::sqrt(400.0));
  EXPECT_NEAR(squares / 400, 1.0, 4 * std::sqrt(8.0) / std::sqrt(400.0));
  // The same seed, the same moments; the load does not wait for the server.
  const LoadResult again = run(plan, "ttft=1", 1);
  for (size_t i = 0; i < 400; ++i) EXPECT_EQ(again.records[i].start, result.records[i].start);
  const auto seen = json::Document::parse(server_.get("/seen"), "seen");
  ASSERT_TRUE(seen.ok());
  EXPECT_GE(seen->root().find("peak").as_int().value_or(0), 20);  // 400/s x 0.1 s is 40
}

TEST_F(LoadRun, AThousandClientsOnOneThread) {
  const int32_t n = kIsSanitized ? 200 : 1000;
  const Status room = allow_open_files(n);
  if (!room.ok()) GTEST_SKIP() << room.error().message;
  server_ = FakeServer();  // which inherits the limit
  // Nobody is answered before all are there.
  const std::string manner = "itl=10 gather=" + std::to_string(n);
  const LoadSummary s = summary({.n_clients = n, .n_requests = n, .timeout_s = 120.0}, manner, 4);
  EXPECT_EQ(s.n_done, n);
  EXPECT_EQ(s.n_failed, 0) << s.errors[0].kind << ": " << s.errors[0].example;
  const auto seen = json::Document::parse(server_.get("/seen"), "seen");
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->root().find("peak").as_int(), n);
}

TEST_F(LoadRun, InterruptedItKeepsWhatItHas) {
  int n_asked = 0;
  is_cancelled_ = [&n_asked] { return ++n_asked > 3; };
  const LoadResult result = run({.n_clients = 3, .seconds = 60.0}, "itl=50", 1000);
  EXPECT_TRUE(result.is_cancelled);
  EXPECT_LT(result.seconds, 5.0);
  const LoadSummary s = summarize(result.records, result.seconds);
  EXPECT_EQ(s.n_unfinished, 3);
  EXPECT_EQ(s.n_failed, 0);
  EXPECT_GT(s.output_tokens_per_s, 0.0);
}

}  // namespace
}  // namespace forge::server::client
