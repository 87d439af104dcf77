// forge inspect: what a model is and what memory it takes.
#include <fmt/format.h>

#include <string>

#include "forge/base/cpu_count.h"
#include "forge/cli/commands.h"
#include "forge/cli/model_options.h"
#include "forge/cli/model_report.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/engine/single_sequence.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge inspect\n"
    "  forge inspect model.gguf --ctx 8192\n"
    "  forge inspect folder --json\n";

}  // namespace

int run_inspect(const Arguments& arguments) {
  ModelOptions options;
  int32_t requested_ctx = 0;
  bool wants_json = false;
  CommandLine line("inspect",
                   "Show a model's architecture, tokenizer and tensors, and what memory running it "
                   "takes. Weights are mapped, not read.",
                   kExamples);
  add_model_option(line, options, ModelArgument::kPositional);
  add_loading_options(line, options);
  line.app()
      .add_option("--ctx", requested_ctx, "Tokens the memory plan is for; 0: the model's context")
      ->type_name("N")
      ->group("Report");
  line.app().add_flag("--json", wants_json, "Print one JSON object")->group("Report");
  if (const auto code = line.parse(arguments)) return *code;
  if (requested_ctx < 0) {
    return line.fail(fmt::format("--ctx {}: expected 1 or more", requested_ctx));
  }
  const Result<engine::LoadedModel> loaded = load(options);
  if (!loaded.ok()) return runtime_error(loaded.error().message);
  const Result<int32_t> ctx = choose_context(requested_ctx, loaded->spec());
  if (!ctx.ok()) return line.fail(ctx.error().message);

  // A run tokenizes first, and the tokenizer's cache of words is part of what the plan measures.
  (void)loaded->tokenizer.encode(loaded->name);
  const models::DecoderOptions decoder_options =
      engine::single_sequence_options(*ctx, default_thread_count(), engine::LogitRows::kLast);
  const ModelReport report{*loaded, engine::plan_memory(*loaded->model, decoder_options), *ctx,
                           engine::available_memory()};
  StdoutStream out;
  out.write(wants_json ? as_json(report) : as_table(report));
  return out.close();
}

}  // namespace forge::cli
