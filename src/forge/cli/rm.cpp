// forge rm: takes a model out of the cache.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <set>

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

/// What goes, in words.
std::string describe(const hub::Removal& removal, const hub::ModelName& name,
                     hub::Revisions revisions) {
  const std::string of = revisions == hub::Revisions::kAll
                             ? name.repo
                             : fmt::format("revision {} of {}", name.revision, name.repo);
  if (!name.quant.empty()) {
    std::set<std::string> files;
    for (const std::string& file : removal.files) {
      files.insert(one_line(std::filesystem::path(file).filename().string()));
    }
    return fmt::format("{} from {} ({})", name.quant, of, fmt::join(files, ", "));
  }
  if (revisions == hub::Revisions::kNamed) return of;
  return fmt::format("{} with {} revision{}", of, removal.snapshots.size(),
                     removal.snapshots.size() == 1 ? "" : "s");
}

}  // namespace

int run_rm(const Arguments& arguments) {
  std::string text;
  bool is_sure = false;
  CommandLine line("rm",
                   "Remove a model from the cache: all of it, with @REVISION what only that "
                   "revision needs, with :QUANT the GGUF files of that type.",
                   "  forge rm org/name\n  forge rm name:Q8_0\n  forge rm org/name@v1.0 --yes\n");
  line.app()
      .add_option("name", text,
                  "[org/]name[:quant][@revision]; org may be left out where only one model has the "
                  "name, and of a commit the first seven digits will do")
      ->type_name("NAME")
      ->required()
      ->always_capture_default(false)
      ->group("Model");
  line.app().add_flag("-y,--yes", is_sure, "Do not ask")->group("Model");
  if (const auto code = line.parse(arguments)) return *code;
  Result<hub::ModelName> name = hub::parse_cached_name(text);
  if (!name.ok()) return line.fail(name.error().message);
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (!settings.ok()) return runtime_error(settings.error().message);

  const hub::Cache cache(settings->cache_folder);
  const Result<std::string> repo = hub::find_cached_repo(cache, name->repo);
  if (!repo.ok()) return runtime_error(repo.error().message);
  name->repo = *repo;
  const bool is_named = text.find('@') != text.npos || text.find("/tree/") != text.npos;
  const hub::Revisions revisions = is_named ? hub::Revisions::kNamed : hub::Revisions::kAll;
  const auto removal = hub::plan_removal(cache, *name, revisions);
  if (!removal.ok()) return runtime_error(removal.error().message);
  const std::string what = describe(*removal, *name, revisions);
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
