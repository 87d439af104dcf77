// forge pull: downloads a model by its name.
#include <fmt/format.h>

#include "forge/base/json.h"
#include "forge/cli/commands.h"
#include "forge/cli/hub/pull_run.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge pull HuggingFaceTB/SmolLM2-135M-Instruct\n"
    "  forge pull Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q8_0\n"
    "  forge pull https://huggingface.co/org/name@v1.0 --json\n";

std::string as_json(const hub::ModelName& name, const hub::PulledModel& model) {
  json::Writer out;
  out.begin_object();
  out.member("name", name.repo).member("revision", name.revision).member("commit", model.commit);
  out.member("path", model.path).member("snapshot", model.folder);
  out.member("bytes", model.n_bytes).member("downloaded_bytes", model.n_received);
  out.key("files").begin_array();
  for (const hub::RepoFile& file : model.files) {
    out.begin_object().member("name", file.name).member("bytes", file.n_bytes);
    const bool is_sha256 = file.hash_kind == hub::ContentHash::Kind::kSha256;
    out.member(is_sha256 ? "sha256" : "git_sha1", file.hash).end_object();
  }
  out.end_array().end_object();
  return out.text() + "\n";
}

}  // namespace

int run_pull(const Arguments& arguments) {
  std::string text;
  bool wants_json = false;
  bool is_quiet = false;
  CommandLine line(
      "pull",
      "Download a model from the Hugging Face Hub into the cache that its Python tools "
      "use too, and print where it is: what --model takes.",
      kExamples);
  line.app()
      .add_option("name", text, "org/name[:quant][@revision], or its address in a browser")
      ->type_name("NAME")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  line.app().add_flag("--json", wants_json, "Print one JSON object")->group("Report");
  line.app().add_flag("-q,--quiet", is_quiet, "No progress on stderr")->group("Report");
  if (const auto code = line.parse(arguments)) return *code;
  const Result<hub::ModelName> name = hub::parse_model_name(text);
  if (!name.ok()) return line.fail(name.error().message);
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (!settings.ok()) return runtime_error(settings.error().message);

  const PullNoise noise = is_quiet ? PullNoise::kLinesOnly : PullNoise::kProgress;
  const Result<hub::PulledModel> model = run_pull_of(*name, *settings, OnInterrupt::kReturn, noise);
  if (!model.ok()) return was_interrupted() ? kInterrupted : runtime_error(model.error().message);
  StdoutStream out;
  out.write(wants_json ? as_json(*name, *model) : model->path + "\n");
  return out.close();
}

}  // namespace forge::cli
