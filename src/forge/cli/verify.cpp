// forge verify: proves a model's files whole and fit for use.
#include "forge/convert/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "forge/base/json.h"
#include "forge/cli/byte_progress.h"
#include "forge/cli/commands.h"
#include "forge/cli/hub/model_argument.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/cli/runtime_options.h"
#include "forge/cli/stdout_stream.h"
#include "forge/convert/file_hash.h"
#include "forge/engine/model_source.h"

namespace forge::cli {
namespace {

using Outcome = convert::Check::Outcome;

constexpr const char* kExamples =
    "  forge verify model.gguf\n"
    "  forge verify model.gguf --sha256 6f0a...\n"
    "  forge verify SmolLM2-135M-Instruct --json\n";

struct Options {
  std::string path;
  std::string sha256;
  int32_t threads = 0;
  bool offline = false;
  bool json = false;
  bool quiet = false;
};

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  app.add_option(
         "path", options.path,
         "A .gguf file (of a split one the first part), a model's folder, or org/name of the "
         "Hugging Face Hub")
      ->type_name("PATH")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  app.add_option("--sha256", options.sha256, "What the file's SHA-256 must be, 64 hex digits")
      ->type_name("HEX")
      ->always_capture_default(false)
      ->group("Model");
  app.add_flag("--offline", options.offline, "Take PATH from the cache only, download nothing")
      ->group("Model");
  app.add_flag("--json", options.json, "Print one JSON object")->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "No progress on stderr")->group("Output");
  app.add_option("-t,--threads", options.threads, "0: every CPU the process may use")
      ->type_name("N")
      ->group("Machine");
}

std::string_view word(Outcome outcome) {
  return outcome == Outcome::kOk ? "ok" : outcome == Outcome::kFailed ? "FAILED" : "not checked";
}

std::string as_json(const Options& options, const convert::VerifyResult& result) {
  json::Writer json;
  json.begin_object()
      .member("path", options.path)
      .member("ok", result.is_ok())
      .key("checks")
      .begin_array();
  for (const convert::Check& check : result.checks) {
    json.begin_object()
        .member("check", check.name)
        .member("outcome", word(check.outcome))
        .member("detail", check.detail)
        .end_object();
  }
  json.end_array().end_object();
  return json.text() + "\n";
}

}  // namespace

int run_verify(const Arguments& arguments) {
  Options options;
  CommandLine line("verify",
                   "Check that a model's files are whole and fit for use: structure, tensors, "
                   "values, tokenizer, chat template, SHA-256. Exit code 0 where all is well, 1 "
                   "where a check failed.",
                   kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  RuntimeOptions runtime;
  runtime.threads = options.threads;
  if (const Status status = check(runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  std::ranges::transform(options.sha256, options.sha256.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!options.sha256.empty() && !convert::is_sha256(options.sha256)) {
    return line.fail(fmt::format("--sha256 {}: expected 64 hex digits", options.sha256));
  }
  const auto place = find_model(options.path, options.offline);
  if (!place.ok()) return runtime_error(place.error().message);
  if (place->kind == engine::ModelSource::Kind::kBundled) {
    return runtime_error("the bundled model is part of this program: expected a file or a folder");
  }

  catch_interrupts();
  StdoutStream out;
  ByteProgress progress("verifying", options.quiet);
  const convert::VerifyOptions settings{
      .sha256 = options.sha256,
      .n_threads = thread_count(runtime),
      .on_check =
          [&](const convert::Check& check) {
            if (options.json) return;
            progress.clear();
            out.write(fmt::format("{:<7} {}: {}\n", word(check.outcome), check.name,
                                  one_line(check.detail)));
            out.flush();
          },
      .on_progress =
          [&](int64_t done, int64_t total) {
            progress.show(done, total);
            return !is_interrupted();
          }};
  const convert::VerifyResult result = convert::verify(place->path, settings);
  progress.clear();
  if (!result.is_complete) return kInterrupted;
  if (options.json) out.write(as_json(options, result));
  const int code = out.close();
  return code != kOk ? code : result.is_ok() ? kOk : kRuntimeError;
}

}  // namespace forge::cli
