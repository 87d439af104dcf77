// forge batch: answers a file of requests.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "forge/cli/batch_options.h"
#include "forge/cli/batch_progress.h"
#include "forge/cli/commands.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/engine/memory_plan.h"
#include "forge/server/batch/batch_run.h"
#include "forge/server/batch/journal.h"

namespace forge::cli {
namespace {

using server::batch::BatchCounts;
using server::batch::Journal;
using server::batch::LineReader;

constexpr const char* kExamples =
    "  forge batch requests.jsonl -o answers.jsonl\n"
    "  forge batch requests.jsonl -o answers.jsonl --model model.gguf --ctx 4096\n"
    "  echo '{\"custom_id\": \"a\", \"method\": \"POST\", \"url\": \"/v1/completions\", \"body\": "
    "{\"prompt\": \"The sea\"}}' > one.jsonl\n";

constexpr int kMostProblems = 10;  // told one by one

/// A batch before it is run: its files, and what they have.
struct Files {
  LineReader input;
  Journal journal;
  int64_t n_lines = 0;  // that are not blank
  [[nodiscard]] int64_t n_before() const { return journal.answered().size(); }
};

Result<Files> open_files(const BatchFlags& flags) {
  FORGE_TRY(LineReader input, LineReader::open(flags.input, server::batch::kMaxLineBytes));
  const auto start = flags.overwrite ? Journal::Start::kOverwrite : Journal::Start::kResume;
  FORGE_TRY(Journal journal, Journal::open(flags.output, flags.input, start));
  FORGE_TRY(const int64_t n_lines, journal.answered().count_input(flags.input, flags.output,
                                                                  server::batch::kMaxLineBytes));
  return Files{std::move(input), std::move(journal), n_lines};
}

void summarise(const Files& files, const BatchCounts& counts, double seconds) {
  std::string text = fmt::format("{} lines: ", files.n_lines);
  if (files.n_before() > 0) text += fmt::format("{} done before, ", files.n_before());
  text += fmt::format("{} answered, {} refused", counts.answered, counts.refused);
  if (counts.unanswered > 0) text += fmt::format(", {} could not be answered", counts.unanswered);
  const int64_t n_left = files.n_lines - files.n_before() - counts.written() - counts.unanswered;
  if (counts.was_stopped) text += fmt::format(", {} not done", n_left);
  note(fmt::format("{}; {} prompt + {} generated tokens in {:.1f} s, {:.0f} tok/s", text,
                   counts.prompt_tokens, counts.generated_tokens, seconds,
                   static_cast<double>(counts.generated_tokens) / std::max(seconds, 1e-3)));
}

Result<BatchCounts> run(Engine& engine, const server::openai::ServedModel& served, Files& files,
                        const BatchFlags& flags) {
  BatchProgress progress(files.n_lines, files.n_before());
  int n_problems = 0;
  server::batch::BatchOptions options;
  options.seed = flags.seed;
  options.should_stop = is_interrupted;
  options.on_problem = [&](std::string_view problem) {
    if (++n_problems > kMostProblems) return;
    progress.clear();
    note(problem);
  };
  if (!flags.quiet) {
    options.on_progress = [&](const BatchCounts& counts) {
      progress.show(counts, engine.stats().generated_tokens);
    };
  }
  server::batch::BatchRun batch(engine, served, files.input, files.journal, std::move(options));
  Result<BatchCounts> counts = batch.run();
  progress.clear();
  return counts;
}

int batch(const CommandLine& line, const BatchFlags& flags) {
  catch_interrupts();
  Result<Files> files = open_files(flags);
  if (!files.ok()) return runtime_error(files.error().message);
  const bool is_done = files->n_before() == files->n_lines;
  if (is_done) {
    if (const Status cut = files->journal.begin(); !cut.ok()) {
      return runtime_error(cut.error().message);
    }
    if (!flags.quiet) note(fmt::format("all {} lines have been answered", files->n_lines));
    return kOk;
  }

  Result<engine::LoadedModel> weights = load(flags.model);
  if (!weights.ok()) return runtime_error(weights.error().message);
  const Model model = Model::from(std::move(weights).value());
  if (const Status status = check(flags.serving, model.loaded().spec()); !status.ok()) {
    return line.fail(status.error().message);
  }
  EngineOptions engine_options = batch_engine_options(flags);
  if (!flags.quiet) engine_options.on_note = note;
  const Result<std::unique_ptr<Engine>> engine = Engine::create(model, engine_options);
  if (!engine.ok()) return runtime_error(engine.error().message);
  const auto served = server::Served::create(**engine, served_options(flags.serving));
  if (!served.ok()) return runtime_error(served.error().message);
  if (!flags.quiet) {
    announce(flags.model, model.loaded(), flags.runtime, (*engine)->info().device_text);
    note(capacity_text((*engine)->info()));
  }

  // Not before all that could fail: --overwrite throws away what is there.
  if (const Status begun = files->journal.begin(); !begun.ok()) {
    return runtime_error(begun.error().message);
  }
  const auto start = std::chrono::steady_clock::now();
  const Result<BatchCounts> counts = run(**engine, (*served)->model(), *files, flags);
  if (!counts.ok()) return runtime_error(counts.error().message);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!flags.quiet) summarise(*files, *counts, elapsed.count());
  if (counts->was_stopped) return kInterrupted;
  if (counts->unanswered == 0) return kOk;
  return runtime_error(fmt::format("{} lines could not be answered; run the same again for them",
                                   counts->unanswered));
}

}  // namespace

int run_batch(const Arguments& arguments) {
  BatchFlags flags;
  CommandLine line("batch",
                   "Answer a file of requests in OpenAI's batch format, as many at once as memory "
                   "allows. Stopped at any moment, the same command goes on where it was.",
                   kExamples);
  add_batch_options(line, flags);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(flags); !status.ok()) return line.fail(status.error().message);
  return batch(line, flags);
}

}  // namespace forge::cli
