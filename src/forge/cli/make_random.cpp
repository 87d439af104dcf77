// forge make-random: writes a GGUF file with random weights in a real model's shape.
#include <fmt/format.h>

#include <chrono>
#include <string>

#include "forge/base/format_bytes.h"
#include "forge/base/thread_pool.h"
#include "forge/cli/commands.h"
#include "forge/cli/flag_values.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/model_options.h"
#include "forge/cli/random_model_progress.h"
#include "forge/cli/report.h"
#include "forge/engine/random_model.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge make-random smollm2-135m:q8_0 -o smollm2.gguf\n"
    "  forge make-random tinyllama-1.1b:q4_k_m -o tinyllama.gguf --seed 7\n";

struct Options {
  std::string model;
  std::string output;
  uint64_t seed = 1;
  int32_t threads = 0;
  bool quiet = false;
};

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  app.add_option("spec:type", options.model,
                 "A model and a type of its weights: smollm2-135m:q8_0; a wrong one lists them all")
      ->type_name("SPEC:TYPE")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  app.add_option("-o,--output", options.output, "The file to write")
      ->type_name("F.gguf")
      ->required()
      ->always_capture_default(false)
      ->group("Output");
  add_seed_option(
      app, [&options](uint64_t seed) { options.seed = seed; }, "Another seed, other weights", "1")
      ->group("Model");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
  app.add_option("-t,--threads", options.threads, "0: every CPU the process may use")
      ->type_name("N")
      ->group("Machine");
}

}  // namespace

int run_make_random(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  Options options;
  CommandLine line("make-random",
                   "Write a GGUF file with random weights N(0, 0.02), but the tensors, sizes and "
                   "metadata of a real model: for measuring speed. Other engines load it too.",
                   kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  RuntimeOptions runtime;
  runtime.threads = options.threads;
  if (const Status status = check(runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  const auto model = engine::RandomModel::create(options.model, options.seed);
  if (!model.ok()) return line.fail(model.error().message);
  catch_interrupts();
  ThreadPool pool(thread_count(runtime));
  const auto begin = Clock::now();
  const Status status =
      model->write(options.output, pool, random_model_progress(model->name(), options.quiet));
  if (is_interrupted()) return kInterrupted;
  if (!status.ok()) return runtime_error(status.error().message);
  if (!options.quiet) {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    note(fmt::format("{}: {}, {} in {:.1f} s", options.output, model->name(),
                     format_bytes(model->file_bytes()), seconds));
  }
  return kOk;
}

}  // namespace forge::cli
