#include "forge/cli/bench_serve_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "forge/base/json.h"
#include "forge/cli/markdown_table.h"
#include "forge/cli/report.h"

namespace forge::cli {
namespace {

using server::client::Distribution;
using server::client::ErrorCount;
using server::client::LoadSummary;

/// Four digits or so.
std::string number(double value) {
  const int digits = value < 10.0 ? 2 : value < 1000.0 ? 1 : 0;
  return fmt::format("{:.{}f}", value, digits);
}

std::string ms(const Distribution& times, double seconds) {
  return times.n == 0 ? "-" : number(seconds * 1e3);
}

void add_times(json::Writer& json, std::string_view key, const Distribution& times) {
  json.key(key).begin_object().member("n", times.n);
  if (times.n > 0) {
    json.member("mean", times.mean * 1e3)
        .member("p50", times.p50 * 1e3)
        .member("p90", times.p90 * 1e3)
        .member("p99", times.p99 * 1e3)
        .member("max", times.max * 1e3);
  }
  json.end_object();
}

void add_run(json::Writer& json, const BenchServeRun& run) {
  const LoadSummary& s = run.summary;
  json.begin_object();
  if (run.n_clients > 0) {
    json.member("concurrency", run.n_clients);
  } else {
    json.member("rate", run.requests_per_s);
  }
  json.member("seconds", s.seconds)
      .member("done", s.n_done)
      .member("failed", s.n_failed)
      .member("unfinished", s.n_unfinished)
      .member("requests_per_second", s.requests_per_s)
      .member("output_tokens_per_second", s.output_tokens_per_s)
      .member("input_tokens_per_second", s.input_tokens_per_s)
      .member("tokens_counted_by", s.counts_usage ? "usage" : "chunks")
      .member("mean_input_tokens", s.mean_input_tokens)
      .member("mean_output_tokens", s.mean_output_tokens);
  add_times(json, "time_to_first_token_ms", s.first_token);
  add_times(json, "inter_token_ms", s.inter_token);
  add_times(json, "end_to_end_ms", s.end_to_end);
  json.key("errors").begin_array();
  for (const ErrorCount& error : s.errors) {
    json.begin_object()
        .member("kind", error.kind)
        .member("count", error.n)
        .member("example", error.example)
        .end_object();
  }
  json.end_array().end_object();
}

/// What tokens are and what the prompts came out as, of the runs that have any.
std::string counting(const BenchServeReport& report) {
  std::string text;
  for (const BenchServeRun& run : report.runs) {
    const LoadSummary& s = run.summary;
    if (s.n_done == 0) continue;
    const std::string input =
        s.counts_usage ? fmt::format("{:.1f} tokens in", s.mean_input_tokens) : "tokens in unknown";
    text += fmt::format("{}: {}, {:.1f} out per request, by the {}\n", run.name(), input,
                        s.mean_output_tokens,
                        s.counts_usage ? "server's usage" : "chunks of the stream (no usage)");
  }
  return text;
}

std::string errors(const BenchServeReport& report) {
  std::string text;
  for (const BenchServeRun& run : report.runs) {
    for (const ErrorCount& error : run.summary.errors) {
      text += fmt::format("{}: {} failed: {}: {}\n", run.name(), error.n, error.kind,
                          one_line(error.example));
    }
    if (run.summary.n_unfinished > 0) {
      text += fmt::format("{}: {} under way when it was interrupted\n", run.name(),
                          run.summary.n_unfinished);
    }
  }
  return text;
}

}  // namespace

std::string BenchServeRun::name() const {
  if (n_clients > 0) return fmt::format("{} client{}", n_clients, n_clients == 1 ? "" : "s");
  return fmt::format("{} requests/s", requests_per_s);
}

int64_t BenchServeReport::n_failed() const {
  return std::accumulate(
      runs.begin(), runs.end(), int64_t{0},
      [](int64_t sum, const BenchServeRun& run) { return sum + run.summary.n_failed; });
}

std::string as_markdown(const BenchServeReport& report) {
  MarkdownTable table({"load", "done", "failed", "req/s", "out t/s", "in t/s", "TTFT p50", "p90",
                       "p99", "ITL p50", "p90", "p99", "max", "E2E p50", "p99"});
  for (const BenchServeRun& run : report.runs) {
    const LoadSummary& s = run.summary;
    const Distribution& first = s.first_token;
    const Distribution& inter = s.inter_token;
    const Distribution& whole = s.end_to_end;
    table.row({run.name(), fmt::format("{}", s.n_done), fmt::format("{}", s.n_failed),
               number(s.requests_per_s), number(s.output_tokens_per_s),
               s.counts_usage ? number(s.input_tokens_per_s) : "-", ms(first, first.p50),
               ms(first, first.p90), ms(first, first.p99), ms(inter, inter.p50),
               ms(inter, inter.p90), ms(inter, inter.p99), ms(inter, inter.max),
               ms(whole, whole.p50), ms(whole, whole.p99)});
  }
  return table.text() +
         "\ntimes in ms: to the first token (TTFT), between two chunks with text (ITL), of whole "
         "requests (E2E)\n" +
         counting(report) + errors(report);
}

std::string as_json(const BenchServeReport& report) {
  json::Writer json;
  json.begin_object()
      .member("url", report.url)
      .member("model", report.request.model)
      .member("endpoint", server::client::path(report.request.route))
      .member("output_len", report.request.n_output)
      .member("ignore_eos", report.request.extensions.ignore_eos);
  json.key("runs").begin_array();
  for (const BenchServeRun& run : report.runs) add_run(json, run);
  json.end_array().end_object();
  return json.text() + "\n";
}

}  // namespace forge::cli
