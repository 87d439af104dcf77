// forge bench: how fast a model runs, and how near that is to what the machine can do.
#include "forge/engine/bench.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "forge/base/huge_buffer.h"
#include "forge/base/thread_pool.h"
#include "forge/cli/bench_hw.h"
#include "forge/cli/bench_report.h"
#include "forge/cli/bench_serve.h"
#include "forge/cli/commands.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/model_options.h"
#include "forge/cli/random_model_progress.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/engine/random_model.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge bench --random smollm2-135m:q8_0\n"
    "  forge bench --model model.gguf --batch 1,8 --depth 4096 --json\n"
    "  forge bench hw\n"
    "  forge bench serve --url http://127.0.0.1:8080\n";

struct Options {
  ModelOptions model;
  std::string random;
  RuntimeOptions runtime;
  engine::BenchOptions bench;
  bool json = false;
  bool quiet = false;
};

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  engine::BenchOptions& bench = options.bench;
  add_model_option(line, options.model, ModelArgument::kFlag);
  app.add_option("--random", options.random,
                 "Random weights in a real model's shape, without a file: smollm2-135m:q8_0; a "
                 "wrong one lists them all")
      ->type_name("SPEC:TYPE")
      ->always_capture_default(false)
      ->group("Model");
  add_loading_options(line, options.model);
  app.add_option("-p,--prompt", bench.n_prompt, "Tokens of the prompt test; 0: none")
      ->type_name("N")
      ->group("Tests");
  app.add_option("-n,--gen", bench.n_gen, "Steps of a decode test; 0: none")
      ->type_name("N")
      ->group("Tests");
  app.add_option("-d,--depth", bench.depth, "Tokens of each sequence in the cache beforehand")
      ->type_name("N")
      ->group("Tests");
  app.add_option("-b,--batch", bench.batches, "Sequences that decode together; one test for each")
      ->type_name("N,N,...")
      ->delimiter(',')
      ->group("Tests");
  app.add_option("-r,--repeat", bench.n_repeats, "Measured runs of each test")
      ->type_name("N")
      ->group("Tests");
  app.add_flag("--breakdown", bench.wants_stages,
               "Print a table of where the time of a step goes, on stderr with --json")
      ->group("Output");
  app.add_flag("--json", options.json, "Print one JSON array")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
  add_runtime_options(line, options.runtime);
}

/// A model, from a file or made up. What owns the bytes outlives what points to them.
struct BenchModel {
  std::string name;
  std::optional<engine::LoadedModel> loaded = {};  // from a file
  std::optional<engine::RandomModel> random = {};
  HugeBuffer bytes = {};  // of a random model; its matrices are made when the plan says they fit
  std::unique_ptr<models::Model> outlined = {};  // likewise

  [[nodiscard]] const models::Model& model() const { return loaded ? *loaded->model : *outlined; }
};

Result<BenchModel> load_file(const Options& options) {
  FORGE_TRY(engine::LoadedModel loaded, load(options.model));
  const std::string name = loaded.name;
  return BenchModel{.name = name, .loaded = std::move(loaded)};
}

Result<BenchModel> outline(engine::RandomModel random) {
  BenchModel made{.name = random.name()};
  FORGE_TRY(made.bytes, random.outline());
  FORGE_TRY(made.outlined,
            models::load_gguf_model({made.bytes.data(), made.bytes.bytes()}, random.name()));
  // NOTE: as if it were a mapped file, so that a decoder gives each matrix's pages back once it has
  // packed it, and the weights are never there twice. They are zeros then: one decoder per model.
  made.outlined->is_mapped = true;
  made.random = std::move(random);
  return made;
}

/// The part that needs a model.
int bench(const CommandLine& line, Options& options, BenchModel& made, kernels::cpu::IsaLevel isa) {
  if (const Status status = check_bench(options.bench, made.model().spec); !status.ok()) {
    return line.fail(status.error().message);
  }
  models::DecoderOptions decoder_options = bench_decoder_options(options.bench);
  const Result<engine::DeviceChoice> device =
      choose_device(options.runtime, made.model(), decoder_options);
  if (!device.ok()) return runtime_error(device.error().message);
  options.bench.backend = decoder_options.backend;
  if (const Status status = check_memory(made.model(), decoder_options, *device); !status.ok()) {
    return runtime_error(status.error().message);
  }
  if (!options.quiet && made.loaded) {
    announce(options.model, *made.loaded, options.runtime, device->text);
  }
  catch_interrupts();
  const int32_t n_threads = options.bench.n_threads;
  if (made.random) {
    ThreadPool pool(n_threads);
    const auto progress = random_model_progress(made.name, options.quiet);
    const Status status = made.random->fill(made.bytes, pool, progress);
    if (is_interrupted()) return kInterrupted;
    if (!status.ok()) return runtime_error(status.error().message);
  }
  if (!options.quiet) {
    options.bench.on_test = [&made](const std::string& test) {
      note(fmt::format("{}: {}", made.name, test));
    };
  }
  options.bench.is_cancelled = is_interrupted;
  Result<engine::BenchResult> result = run_bench(made.model(), options.bench);
  if (!result.ok()) return runtime_error(result.error().message);
  if (!result->is_complete) return kInterrupted;

  const BenchReport report{
      .model = one_line(made.name),
      .device = device->text,
      .is_on_cpu = !device->cuda.has_value(),
      .n_threads = n_threads,
      .cost = engine::step_cost(made.model(), options.bench.backend),
      .result = std::move(result).value(),
      .peaks = device->cuda ? engine::PeakRates{} : engine::measure_peaks(isa, n_threads),
      .isa = isa};
  StdoutStream out;
  const std::string breakdown = breakdown_markdown(report);
  if (options.json) {
    out.write(as_json(report));
    std::fwrite(breakdown.data(), 1, breakdown.size(), stderr);
  } else {
    out.write(as_markdown(report) + breakdown);
  }
  return out.close();
}

}  // namespace

int run_bench(const Arguments& arguments) {
  if (!arguments.empty() && arguments.front() == "hw") {
    return run_bench_hw(Arguments(arguments.begin() + 1, arguments.end()));
  }
  if (!arguments.empty() && arguments.front() == "serve") {
    return run_bench_serve(Arguments(arguments.begin() + 1, arguments.end()));
  }
  Options options;
  CommandLine line("bench",
                   "Measure how fast a model takes a prompt and generates, for one sequence and "
                   "for several at once, and the share of what the machine can do. forge bench hw "
                   "measures the machine alone, forge bench serve a server.",
                   kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(options.runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  const auto isa = kernels::cpu::choose_level();
  if (!isa.ok()) return line.fail(isa.error().message);
  options.bench.n_threads = thread_count(options.runtime);
  options.bench.backend = backend_options(options.runtime);
  if (!options.quiet) options.bench.backend.on_note = note;
  std::optional<engine::RandomModel> random;
  if (!options.random.empty()) {
    if (line.is_named("--model")) return line.fail("--model and --random: expected one of them");
    Result<engine::RandomModel> named = engine::RandomModel::create(options.random);
    if (!named.ok()) return line.fail(named.error().message);
    random = std::move(named).value();
  }
  Result<BenchModel> made = random ? outline(std::move(*random)) : load_file(options);
  if (!made.ok()) return runtime_error(made.error().message);
  return bench(line, options, *made, *isa);
}

}  // namespace forge::cli
