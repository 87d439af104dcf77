#include "forge/cli/bench_serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forge/cli/bench_serve_options.h"
#include "forge/cli/bench_serve_report.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/text_input.h"
#include "forge/server/client/child_server.h"
#include "forge/server/client/load_run.h"
#include "forge/server/client/prompts.h"
#include "forge/server/client/server_probe.h"

namespace forge::cli {
namespace {

using namespace server::client;  // NOLINT: this file is its front

constexpr const char* kExamples =
    "  forge bench serve --model model.gguf\n"
    "  forge bench serve --url http://127.0.0.1:8080 --concurrency 1,8 --duration 60\n"
    "  forge bench serve --url http://127.0.0.1:8000 --endpoint chat --rate 2 --json\n";

/// Prompts of a file, or random ones.
using PromptSource = std::function<Prompt(int64_t)>;

Result<PromptSource> prompts_of_file(const std::string& path) {
  FORGE_TRY(const std::string text, read_utf8(path));
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (lines.empty()) return make_error("{}: no prompt, expected one per line", path);
  return PromptSource([lines = std::move(lines)](int64_t i) -> Prompt {
    return lines[static_cast<size_t>(i) % lines.size()];
  });
}

/// Sets the request's extensions on the way: they must be known before anything is measured.
Result<PromptSource> prepare(const BenchServeOptions& options, ServerProbe& probe,
                             CompletionRequest& request) {
  PromptSource source;
  RandomPrompts random{.seed = options.seed,
                       .n_units = options.input_len,
                       .as_ids = options.as_ids,
                       .vocab_size = options.vocab_size};
  if (!options.prompt_file.empty()) {
    FORGE_TRY(source, prompts_of_file(options.prompt_file));
  }
  // A short one: before it is known what a word takes, a long one might not fit the context.
  RandomPrompts short_prompts = random;
  short_prompts.n_units = std::min<int64_t>(random.n_units, 16);
  const Prompt first = source ? source(0) : short_prompts.prompt(-1);
  const bool wants_ignore_eos = request.extensions.ignore_eos;
  FORGE_TRY(request.extensions, probe.extensions(request, first));
  if (!options.quiet && wants_ignore_eos && !request.extensions.ignore_eos) {
    note("warning: the server refuses ignore_eos, texts may be shorter than --output-len");
  }
  if (source) return source;
  if (!options.as_ids) {
    FORGE_TRY(const auto n_words, probe.words_for(options.input_len, request, options.seed));
    if (!options.quiet && !n_words) {
      note("warning: the server counts no tokens, --input-len is a number of words");
    }
    random.n_units = n_words.value_or(options.input_len);
  }
  random.n_prefix_units = random.n_units * options.prefix_len / options.input_len;
  return PromptSource([random](int64_t i) { return random.prompt(i); });
}

/// One line that is written over and over, on a terminal only.
void show_progress(const BenchServeRun& run, const LoadProgress& progress) {
  std::fputs(fmt::format("\r\033[K{}: {:.1f} s, {} done, {} failed, {} under way", run.name(),
                         progress.seconds, progress.n_done, progress.n_failed, progress.n_running)
                 .c_str(),
             stderr);
}

LoadPlan plan_for(const BenchServeOptions& options, const BenchServeRun& run) {
  return {.n_clients = run.n_clients,
          .requests_per_s = run.requests_per_s,
          .seconds = options.duration,
          .n_requests = options.n_requests,
          .seed = options.seed,
          .timeout_s = options.timeout};
}

/// All runs, or those until Ctrl-C.
Status measure(const BenchServeOptions& options, HttpTarget& target, const PromptSource& prompts,
               BenchServeReport& report) {
  const bool shows_progress = !options.quiet && ::isatty(STDERR_FILENO) == 1;
  std::vector<BenchServeRun> runs;
  for (const double rate : options.rates) runs.push_back({.requests_per_s = rate});
  if (runs.empty()) {
    for (const int32_t n : options.concurrency) runs.push_back({.n_clients = n});
  }
  int64_t n_prompts = 0;  // no run sees the prompts of an earlier one, whose prefixes are cached
  for (BenchServeRun& run : runs) {
    if (!options.quiet && !shows_progress) note(run.name());
    LoadHooks hooks;
    hooks.path = path(report.request.route);
    hooks.body = [&](int64_t i) { return report.request.body(prompts(n_prompts + i)); };
    hooks.is_cancelled = is_interrupted;
    hooks.on_progress = [&](const LoadProgress& progress) {
      if (shows_progress) show_progress(run, progress);
    };
    const Result<LoadResult> result = run_load(target, plan_for(options, run), hooks);
    if (shows_progress) std::fputs("\r\033[K", stderr);
    if (!result.ok()) return result.error();
    n_prompts += static_cast<int64_t>(result->records.size());
    run.summary = summarize(result->records, result->seconds);
    report.runs.push_back(std::move(run));
    if (result->is_cancelled) break;
  }
  return {};
}

Result<BenchServeReport> bench(const BenchServeOptions& options, const std::string& address) {
  FORGE_TRY(const Url url, parse_url(address));
  FORGE_TRY(HttpTarget target, HttpTarget::find(url, options.api_key));
  ServerProbe probe(target, options.timeout);
  BenchServeReport report;
  report.url = url.text();
  report.request = {.route = options.route(),
                    .model = options.url.empty() ? "" : options.model,
                    .n_output = options.output_len,
                    .extensions = {.ignore_eos = !options.stop_at_eos, .include_usage = true}};
  if (report.request.model.empty()) {
    FORGE_TRY(report.request.model, probe.first_model());
  }
  FORGE_TRY(const PromptSource prompts, prepare(options, probe, report.request));
  if (!options.quiet) note(fmt::format("{}, model {}", report.url, report.request.model));
  FORGE_TRY_STATUS(measure(options, target, prompts, report));
  return report;
}

}  // namespace

int run_bench_serve(const Arguments& arguments) {
  BenchServeOptions options;
  CommandLine line(
      "bench serve",
      "Measure how fast a server answers many clients at once: Forge's own or any other "
      "with OpenAI's API.",
      kExamples);
  add_bench_serve_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(options); !status.ok()) {
    return line.fail(status.error().message);
  }
  catch_interrupts();
  std::unique_ptr<ChildServer> child;
  std::string address = options.url;
  if (address.empty()) {
    const auto say = [is_quiet = options.quiet](std::string_view text) {
      if (!is_quiet) note(fmt::format("server: {}", text));
    };
    std::vector<std::string> command = {"/proc/self/exe", "serve",  "--model",
                                        options.model,    "--port", "0"};
    if (options.is_offline) command.emplace_back("--offline");
    Result<std::unique_ptr<ChildServer>> started = ChildServer::start(command, say);
    if (!started.ok()) return runtime_error(started.error().message);
    child = std::move(started).value();
    address = child->url();
  }
  const Result<BenchServeReport> report = bench(options, address);
  if (!report.ok()) return runtime_error(report.error().message);
  StdoutStream out;
  out.write(options.json ? as_json(*report) : as_markdown(*report));
  const int code = out.close();
  if (code != kOk) return code;
  if (is_interrupted()) return kInterrupted;
  return report->n_failed() == 0 ? kOk : kRuntimeError;
}

}  // namespace forge::cli
