// forge quantize: a model as a GGUF file of another storage type.
#include "forge/convert/quantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "forge/base/format_bytes.h"
#include "forge/cli/byte_progress.h"
#include "forge/cli/commands.h"
#include "forge/cli/hub/model_argument.h"
#include "forge/cli/interrupt.h"
#include "forge/cli/report.h"
#include "forge/cli/runtime_options.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/table.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge quantize SmolLM2-135M-Instruct smollm2.gguf --type Q4_K_M\n"
    "  forge quantize model-f16.gguf model-q8.gguf --type Q8_0\n"
    "  forge quantize folder model.gguf --type Q5_K_M --dry-run\n";

struct Options {
  std::string input;
  std::string output;
  std::string type;
  bool force = false;
  bool allow_requantize = false;
  bool offline = false;
  bool dry_run = false;
  bool quiet = false;
  int32_t threads = 0;
};

std::vector<std::string> mixture_names() {
  std::vector<std::string> names;
  for (const convert::Mixture& mixture : convert::all_mixtures()) names.emplace_back(mixture.name);
  return names;
}

void add_options(CommandLine& line, Options& options) {
  CLI::App& app = line.app();
  app.add_option(
         "in", options.input,
         "A model's folder (config.json and .safetensors), org/name of the Hugging Face Hub, "
         "a .gguf file (of a split one the "
         "first part), or \"bundled\"")
      ->type_name("IN")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  app.add_option("out", options.output, "The .gguf file to write")
      ->type_name("OUT")
      ->required()
      ->always_capture_default(false)
      ->group("Output");
  app.add_option("--type", options.type, fmt::format("One of {}", fmt::join(mixture_names(), ", ")))
      ->type_name("TYPE")
      ->required()
      ->always_capture_default(false)
      ->group("Output");
  app.add_flag("--force", options.force, "Replace OUT where it exists")->group("Output");
  app.add_flag(
         "--allow-requantize", options.allow_requantize,
         "Also from tensors that are quantised already, which loses more than from the original")
      ->group("Model");
  app.add_flag("--offline", options.offline, "Take IN from the cache only, download nothing")
      ->group("Model");
  app.add_flag("--dry-run", options.dry_run,
               "Show each tensor's type and the size, and write nothing")
      ->group("Output");
  app.add_flag("-q,--quiet", options.quiet, "Nothing on stderr but errors")->group("Output");
  app.add_option("-t,--threads", options.threads, "0: every CPU the process may use")
      ->type_name("N")
      ->group("Machine");
}

std::string unknown_type(const std::string& type) {
  const std::vector<std::string> names = mixture_names();
  std::string upper = type;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string nearest = nearest_name(upper, names);
  return fmt::format("--type {}: {}expected one of {}", type,
                     nearest.empty() ? "" : fmt::format("did you mean {}? ", nearest),
                     fmt::join(names, ", "));
}

/// "Q4_K 20, Q6_K 3, F32 11": tensors of each type.
std::string types_text(const convert::QuantizePlan& plan) {
  std::vector<std::string> parts;
  for (const DTypeInfo& type : all_dtypes()) {
    const auto n =
        std::ranges::count(plan.tensors, type.dtype, &convert::QuantizePlan::Tensor::dtype);
    if (n > 0) parts.push_back(fmt::format("{} {}", type.name, n));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string summary(const convert::Mixture& mixture, const convert::QuantizePlan& plan) {
  const double bits =
      8.0 * static_cast<double>(plan.weight_bytes) / static_cast<double>(plan.n_weights);
  return fmt::format("{}, {}, {:.2f} bits per weight (tensors: {})", mixture.name,
                     format_bytes(plan.file_bytes), bits, types_text(plan));
}

int show_plan(const convert::Mixture& mixture, const convert::QuantizePlan& plan) {
  Table table;
  table.heading("Tensors");
  for (const convert::QuantizePlan::Tensor& tensor : plan.tensors) {
    const TensorView out{tensor.dtype, tensor.source->view.shape, nullptr};
    table.row({tensor.source->name, out.shape.to_string(),
               fmt::format("{} -> {}", name(tensor.source->view.dtype), name(tensor.dtype)),
               format_bytes(out.bytes())});
  }
  StdoutStream out;
  out.write(table.text());
  out.write("\n" + summary(mixture, plan) + "\n");
  return out.close();
}

void say_notes(const Options& options, const convert::Source& source,
               const convert::QuantizePlan& plan) {
  if (options.quiet) return;
  for (const std::string& text : source.notes) note(fmt::format("{}: {}", options.input, text));
  if (plan.n_substituted > 0) {
    note(
        fmt::format("{} matrices have rows that are no whole number of blocks and get another type",
                    plan.n_substituted));
  }
  if (plan.n_requantized > 0 && options.allow_requantize) {
    note(fmt::format("{} tensors are quantised already: the result is worse than from the original",
                     plan.n_requantized));
  }
}

}  // namespace

int run_quantize(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  Options options;
  CommandLine line("quantize",
                   "Write a model as one GGUF file whose weights have another type. Mixtures are "
                   "llama.cpp's: some matrices get more bits than the type's name says.",
                   kExamples);
  add_options(line, options);
  if (const auto code = line.parse(arguments)) return *code;
  const convert::Mixture* mixture = convert::find_mixture(options.type);
  if (mixture == nullptr) return line.fail(unknown_type(options.type));
  RuntimeOptions runtime;
  runtime.threads = options.threads;
  if (const Status status = check(runtime); !status.ok()) {
    return line.fail(status.error().message);
  }
  const auto place = find_model(options.input, options.offline);
  if (!place.ok()) return runtime_error(place.error().message);
  const auto source = convert::open_source(*place);
  if (!source.ok()) return runtime_error(source.error().message);
  const auto plan = convert::plan_quantization(*source, *mixture);
  if (!plan.ok()) return runtime_error(plan.error().message);
  say_notes(options, *source, *plan);
  if (options.dry_run) return show_plan(*mixture, *plan);

  catch_interrupts();
  const auto begin = Clock::now();
  ByteProgress progress(std::filesystem::path(options.output).filename().string(), options.quiet);
  convert::QuantizeOptions settings{.allow_requantize = options.allow_requantize,
                                    .overwrite = options.force,
                                    .n_threads = thread_count(runtime),
                                    .on_progress = {}};
  settings.on_progress = [&progress](const convert::QuantizeProgress& so_far) {
    progress.show(so_far.done_bytes, so_far.total_bytes);
    return !is_interrupted();
  };
  const Result<bool> is_done = convert::quantize(*source, *plan, options.output, settings);
  progress.clear();
  if (!is_done.ok()) return runtime_error(is_done.error().message);
  if (!*is_done) {
    if (!options.quiet) note(fmt::format("interrupted: {} is not written", options.output));
    return kInterrupted;
  }
  if (!options.quiet) {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    note(fmt::format("{}: {} in {:.1f} s", options.output, summary(*mixture, *plan), seconds));
  }
  return kOk;
}

}  // namespace forge::cli
