// forge rm: takes a model out of the cache.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "forge/base/format_bytes.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/settings.h"

namespace forge::cli {
namespace {

/// Whether a person at the terminal says yes.
bool is_confirmed(const std::string& question) {
  std::cerr << "forge: " << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int run_rm(const Arguments& arguments) {
  std::string text;
  bool is_sure = false;
  CommandLine line("rm",
                   "Remove a model from the cache: all of it, or with @REVISION what only that "
                   "revision needs.",
                   "  forge rm org/name\n  forge rm org/name@v1.0 --yes\n");
  line.app()
      .add_option("name", text, "org/name[@revision]; a commit's first seven digits will do")
      ->type_name("NAME")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  line.app().add_flag("-y,--yes", is_sure, "Do not ask")->group("Model");
  if (const auto code = line.parse(arguments)) return *code;
  const Result<hub::ModelName> name = hub::parse_model_name(text);
  if (!name.ok()) return line.fail(name.error().message);
  if (!name->quant.empty()) {
    return line.fail(
        fmt::format("{}: removes whole revisions: leave \":{}\" out", text, name->quant));
  }
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (!settings.ok()) return runtime_error(settings.error().message);

  const hub::Cache cache(settings->cache_folder);
  const bool is_whole_repo = text.find('@') == text.npos && name->revision == "main";
  const auto removal = hub::plan_removal(cache, *name, is_whole_repo);
  if (!removal.ok()) return runtime_error(removal.error().message);
  const std::string what =
      is_whole_repo ? fmt::format("{} with {} revision{}", name->repo, removal->snapshots.size(),
                                  removal->snapshots.size() == 1 ? "" : "s")
                    : fmt::format("revision {} of {}", name->revision, name->repo);
  if (!is_sure) {
    if (::isatty(STDIN_FILENO) == 0) {
      return runtime_error(
          fmt::format("{}: nobody to ask whether to remove it: expected --yes", name->text()));
    }
    const std::string question =
        fmt::format("remove {}? This frees {}.", what, format_bytes(removal->n_bytes));
    if (!is_confirmed(question)) {
      note("nothing was removed");
      return kRuntimeError;
    }
  }
  const Status status = hub::remove(cache, *removal);
  if (!status.ok()) return runtime_error(status.error().message);
  note(fmt::format("removed {}: {} freed", what, format_bytes(removal->n_bytes)));
  return kOk;
}

}  // namespace forge::cli
