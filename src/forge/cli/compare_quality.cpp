// forge compare-quality: how well one model stands in for another, on a text.
#include "forge/engine/compare_quality.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "forge/base/json.h"
#include "forge/cli/commands.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/model_options.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/table.h"
#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

constexpr int32_t kDefaultWindow = 512;
constexpr int32_t kLeastWindow = 4;  // half of it is scored

constexpr const char* kExamples =
    "  forge compare-quality model-f16.gguf model-q4_k_m.gguf --file wiki.test.raw\n"
    "  forge compare-quality folder model.gguf --file story.txt --ctx 256 --json\n";

struct Options {
  ModelOptions a;
  ModelOptions b;
  RuntimeOptions runtime;
  std::string file;
  int32_t ctx = 0;
  bool json = false;
  bool quiet = false;
};

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  app.add_option("a", options.a.model, "The reference: a folder, a .gguf file, or \"bundled\"")
      ->type_name("A")
      ->required()
      ->always_capture_default(false)
      ->group("Models");
  app.add_option("b", options.b.model, "The model to compare with it, of the same vocabulary")
      ->type_name("B")
      ->required()
      ->always_capture_default(false)
      ->group("Models");
  app.add_option("-f,--file", options.file, "The text, UTF-8; - is stdin")
      ->type_name("F")
      ->required()
      ->always_capture_default(false)
      ->group("Text");
  app.add_option("--ctx", options.ctx,
                 "Tokens of a window; 0: 512, or the models' context where that is less")
      ->type_name("N")
      ->group("Text");
  app.add_flag("--json", options.json, "Print one JSON object")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
  app.add_flag_callback(
         "--offline", [&options] { options.a.is_offline = options.b.is_offline = true; },
         "Take models from the cache only, download nothing")
      ->group("Models");
  add_runtime_options(line, options.runtime);
}

void add(json::Writer& json, std::string_view name, const engine::Interval& interval) {
  json.key(name)
      .begin_object()
      .member("value", interval.value)
      .member("low", interval.low)
      .member("high", interval.high)
      .end_object();
}

std::string as_json(const Options& options, const engine::QualityResult& result, int32_t ctx) {
  const engine::QualityNumbers& numbers = result.numbers;
  json::Writer json;
  json.begin_object().member("a", options.a.model).member("b", options.b.model);
  add(json, "mean_kl", numbers.mean_kl);
  json.member("median_kl", numbers.median_kl)
      .member("p99_kl", numbers.p99_kl)
      .member("max_kl", numbers.max_kl);
  add(json, "same_top", numbers.same_top);
  add(json, "perplexity_a", numbers.perplexity_a);
  add(json, "perplexity_b", numbers.perplexity_b);
  add(json, "perplexity_ratio", numbers.perplexity_ratio);
  json.member("tokens_scored", numbers.n_tokens)
      .member("tokens", result.n_text_tokens)
      .member("windows", result.n_windows)
      .member("ctx", ctx)
      .member("seconds", result.seconds)
      .end_object();
  return json.text() + "\n";
}

std::string as_text(const engine::QualityResult& result, int32_t ctx) {
  const engine::QualityNumbers& numbers = result.numbers;
  const auto between = [](const engine::Interval& interval, double factor, const char* unit) {
    return fmt::format("{:.4g}{}", factor * interval.value, unit) +
           fmt::format("  ({:.4g} to {:.4g})", factor * interval.low, factor * interval.high);
  };
  Table table;
  table.heading("B against A (95 % intervals)");
  table.row({"KL divergence", between(numbers.mean_kl, 1.0, " nats") + ", mean per token"});
  table.row({"", fmt::format("{:.4g} median, {:.4g} at 99 %, {:.4g} at most", numbers.median_kl,
                             numbers.p99_kl, numbers.max_kl)});
  table.row({"same top token", between(numbers.same_top, 100.0, " %")});
  table.row({"perplexity of A", between(numbers.perplexity_a, 1.0, "")});
  table.row({"perplexity of B", between(numbers.perplexity_b, 1.0, "")});
  table.row({"B's over A's", between(numbers.perplexity_ratio, 1.0, "")});
  return table.text() + fmt::format("\n{} tokens scored in {} windows of {}, {:.1f} s\n",
                                    numbers.n_tokens, result.n_windows, ctx, result.seconds);
}

/// Windows done, on one line of a terminal that is written over.
void show_progress(const engine::QualityNumbers& so_far, int32_t n_done, int32_t n_windows) {
  const std::string line =
      fmt::format("\r\x1b[Kforge: window {} of {}, KL {:.4g}, same top {:.1f} %", n_done, n_windows,
                  so_far.mean_kl.value, 100.0 * so_far.same_top.value);
  std::fwrite(line.data(), 1, line.size(), stderr);
  if (n_done == n_windows) std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

/// The decoder of one model where the flags want it; fails where it has no room.
Result<models::BackendOptions> place(const Options& options, const engine::LoadedModel& loaded,
                                     const engine::QualityOptions& settings,
                                     engine::MemoryPlan& both,
                                     std::optional<engine::AvailableMemory>& memory) {
  models::DecoderOptions decoder =
      engine::quality_decoder_options(settings, backend_options(options.runtime));
  FORGE_TRY(const engine::DeviceChoice device,
            choose_device(options.runtime, *loaded.model, decoder));
  const engine::MemoryPlan plan = engine::plan_memory(*loaded.model, decoder);
  both.weight_bytes += plan.weight_bytes;
  both.resident_weight_bytes += plan.resident_weight_bytes;
  both.kv_bytes += plan.kv_bytes;
  both.kv_bytes_per_token += plan.kv_bytes_per_token;
  both.kv_tokens = plan.kv_tokens;
  both.workspace_bytes += plan.workspace_bytes;
  both.process_bytes = std::max(both.process_bytes, plan.process_bytes);
  memory = device.memory;
  return decoder.backend;
}

int run(const CommandLine& line, const Options& options, const std::string& text) {
  const Result<engine::LoadedModel> a = load(options.a);
  if (!a.ok()) return runtime_error(a.error().message);
  const Result<engine::LoadedModel> b = load(options.b);
  if (!b.ok()) return runtime_error(b.error().message);
  if (const Status same = engine::check_same_vocabulary(*a, *b); !same.ok()) {
    return runtime_error(same.error().message);
  }
  const int32_t most = std::min(a->spec().context_len, b->spec().context_len);
  const int32_t ctx = options.ctx > 0 ? options.ctx : std::min(kDefaultWindow, most);
  if (ctx > most) {
    return line.fail(fmt::format("--ctx {}: the models' context is {} tokens", ctx, most));
  }
  engine::QualityOptions settings{.context_len = ctx,
                                  .n_threads = thread_count(options.runtime),
                                  .backend_a = {},
                                  .backend_b = {},
                                  .on_progress = {},
                                  .is_cancelled = is_interrupted};
  engine::MemoryPlan both;
  std::optional<engine::AvailableMemory> memory;
  const auto backend_a = place(options, *a, settings, both, memory);
  if (!backend_a.ok()) return runtime_error(backend_a.error().message);
  const auto backend_b = place(options, *b, settings, both, memory);
  if (!backend_b.ok()) return runtime_error(backend_b.error().message);
  settings.backend_a = *backend_a;
  settings.backend_b = *backend_b;
  if (memory) {
    const Status fits = engine::check_fits(both, *memory);
    if (!fits.ok()) return runtime_error("both models at once: " + fits.error().message);
  }
  if (!options.quiet && ::isatty(STDERR_FILENO) != 0) settings.on_progress = show_progress;
  catch_interrupts();
  const Result<engine::QualityResult> result = engine::compare_quality(*a, *b, text, settings);
  if (!result.ok()) {
    return runtime_error(fmt::format("{}: {}", options.file, result.error().message));
  }
  if (!result->is_complete) {
    if (!options.quiet) note(fmt::format("interrupted after {} windows", result->n_windows));
    return kInterrupted;
  }
  StdoutStream out;
  out.write(options.json ? as_json(options, *result, ctx) : as_text(*result, ctx));
  return out.close();
}

}  // namespace

int run_compare_quality(const Arguments& arguments) {
  Options options;
  CommandLine line(
      "compare-quality",
      "Compare a model's predictions with those of a reference, token by token over a "
      "text: KL divergence, how often both would choose the same token, and the "
      "perplexity of both. Windows of --ctx tokens of which the second half is scored.",
      kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(options.runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  if (options.ctx != 0 && options.ctx < kLeastWindow) {
    return line.fail(fmt::format("--ctx {}: expected {} or more", options.ctx, kLeastWindow));
  }
  const Result<std::string> text = read_utf8(options.file);
  if (!text.ok()) return runtime_error(text.error().message);
  return run(line, options, *text);
}

}  // namespace forge::cli
