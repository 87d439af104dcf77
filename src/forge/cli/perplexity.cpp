// forge perplexity: how well a model predicts a text.
#include "forge/engine/perplexity.h"

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
#include "forge/cli/text_input.h"

namespace forge::cli {
namespace {

constexpr int32_t kDefaultChunk = 512;
constexpr int32_t kLeastChunk = 4;  // half of it is scored

struct Options {
  ModelOptions model;
  RuntimeOptions runtime;
  std::string file;
  int32_t ctx = 0;
  bool json = false;
  bool quiet = false;
};

constexpr const char* kExamples =
    "  forge perplexity model.gguf --file wiki.test.raw\n"
    "  forge perplexity folder --file story.txt --ctx 256 --json\n";

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  add_model_option(line, options.model, ModelArgument::kPositional);
  add_loading_options(line, options.model);
  app.add_option("-f,--file", options.file, "The text, UTF-8; - is stdin")
      ->type_name("F")
      ->required()
      ->always_capture_default(false)
      ->group("Text");
  app.add_option("--ctx", options.ctx,
                 "Tokens of a chunk; 0: 512, or the model's context where that is less")
      ->type_name("N")
      ->group("Text");
  app.add_flag("--json", options.json, "Print one JSON object")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
  add_runtime_options(line, options.runtime);
}

double token_rate(const engine::PerplexityResult& result, int32_t ctx) {
  return static_cast<double>(result.n_chunks) * ctx / std::max(result.seconds, 1e-9);
}

std::string as_json(const engine::PerplexityResult& result, int32_t ctx) {
  json::Writer json;
  json.begin_object()
      .member("perplexity", result.perplexity)
      .member("standard_error", result.standard_error)
      .member("mean_nll", result.mean_nll)
      .member("tokens_scored", result.n_scored)
      .member("tokens", result.n_tokens)
      .member("chunks", result.n_chunks)
      .member("ctx", ctx)
      .member("seconds", result.seconds)
      .member("tokens_per_s", token_rate(result, ctx))
      .end_object();
  return json.text() + "\n";
}

std::string as_text(const engine::PerplexityResult& result, int32_t ctx) {
  return fmt::format(
      "perplexity {:.4f} +- {:.4f}\n{} tokens scored in {} chunks of {}, {:.1f} tok/s\n",
      result.perplexity, result.standard_error, result.n_scored, result.n_chunks, ctx,
      token_rate(result, ctx));
}

/// Chunks done, on one line of a terminal that is written over.
void show_progress(const engine::PerplexityResult& result, int32_t n_chunks) {
  const double seconds_left = result.seconds / result.n_chunks * (n_chunks - result.n_chunks);
  const std::string line =
      fmt::format("\rforge: chunk {} of {}, perplexity {:.4f}, {:.0f} s left   ", result.n_chunks,
                  n_chunks, result.perplexity, seconds_left);
  std::fwrite(line.data(), 1, line.size(), stderr);
  if (result.n_chunks == n_chunks) std::fputc('\n', stderr);
  std::fflush(stderr);
}

}  // namespace

int run_perplexity(const Arguments& arguments) {
  Options options;
  CommandLine line("perplexity",
                   "Measure how well a model predicts a text: exp of the mean negative "
                   "log-likelihood per token, over chunks of --ctx tokens of which the second half "
                   "is scored (as llama.cpp does it).",
                   kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(options.runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  if (options.ctx != 0 && options.ctx < kLeastChunk) {
    return line.fail(fmt::format("--ctx {}: expected {} or more", options.ctx, kLeastChunk));
  }
  const Result<std::string> text = read_utf8(options.file);
  if (!text.ok()) return runtime_error(text.error().message);
  const Result<engine::LoadedModel> loaded = load(options.model);
  if (!loaded.ok()) return runtime_error(loaded.error().message);
  const int32_t wanted =
      options.ctx > 0 ? options.ctx : std::min(kDefaultChunk, loaded->spec().context_len);
  const Result<int32_t> ctx = choose_context(wanted, loaded->spec());
  if (!ctx.ok()) return line.fail(ctx.error().message);

  engine::PerplexityOptions settings{.context_len = *ctx,
                                     .n_threads = thread_count(options.runtime),
                                     .backend = backend_options(options.runtime),
                                     .on_progress = {},
                                     .is_cancelled = is_interrupted};
  if (!options.quiet) settings.backend.on_note = note;
  models::DecoderOptions decoder = engine::perplexity_decoder_options(settings);
  const Result<engine::DeviceChoice> device =
      choose_device(options.runtime, *loaded->model, decoder);
  if (!device.ok()) return runtime_error(device.error().message);
  settings.backend = decoder.backend;
  const Status memory = check_memory(*loaded->model, decoder, *device);
  if (!memory.ok()) return runtime_error(memory.error().message);
  if (!options.quiet && ::isatty(STDERR_FILENO) != 0) settings.on_progress = show_progress;
  catch_interrupts();
  const Result<engine::PerplexityResult> result =
      engine::compute_perplexity(*loaded, *text, settings);
  if (!result.ok()) {
    return runtime_error(fmt::format("{}: {}", options.file, result.error().message));
  }
  if (!result->is_complete) {
    if (!options.quiet) note(fmt::format("interrupted after {} chunks", result->n_chunks));
    return kInterrupted;
  }
  StdoutStream out;
  out.write(options.json ? as_json(*result, *ctx) : as_text(*result, *ctx));
  return out.close();
}

}  // namespace forge::cli
