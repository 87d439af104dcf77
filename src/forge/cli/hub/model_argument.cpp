#include "forge/cli/hub/model_argument.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>

#include "forge/cli/report.h"
#include "forge/hub/cached_model.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/model_name.h"
#include "forge/hub/settings.h"

namespace forge::cli {
namespace {

using Kind = engine::ModelSource::Kind;

engine::ModelSource source_of(const hub::CachedModel& model, const hub::ModelName& name) {
  return {model.is_gguf ? Kind::kGgufFile : Kind::kFolder, model.path, name.text()};
}

engine::ModelSource default_model() {
  // Where the environment makes no sense there is no cache, and the bundled model needs none.
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (settings.ok()) {
    hub::ModelName name;
    name.repo = kDefaultModel;
    const auto cached = hub::find_cached(hub::Cache(settings->cache_folder), name);
    if (cached && cached->is_complete()) return source_of(*cached, name);
  }
  return {Kind::kBundled, "bundled model", ""};
}

Error offline_error(const hub::ModelName& name, const std::optional<hub::CachedModel>& cached,
                    const std::string& folder) {
  const std::string what = cached ? fmt::format("only in part in the cache {} (missing: {})",
                                                folder, fmt::join(cached->missing, ", "))
                                  : fmt::format("not in the cache {}", folder);
  return make_error(
      "{}: {}, and downloads are off (--offline or HF_HUB_OFFLINE): once online, "
      "forge pull {} fetches it",
      name.text(), what, name.text());
}

Result<engine::ModelSource> named_model(const std::string& model, bool is_offline,
                                        OnInterrupt on_interrupt) {
  FORGE_TRY(const hub::ModelName name, hub::parse_model_name(model));
  FORGE_TRY(hub::Settings settings, hub::settings_from_environment());
  const hub::Cache cache(settings.cache_folder);
  auto cached = hub::find_cached(cache, name);
  if (cached && cached->is_complete()) return source_of(*cached, name);
  if (is_offline || settings.is_offline) return offline_error(name, cached, cache.folder());
  note(fmt::format("{} is {} the cache: downloading it from {}", name.text(),
                   cached ? "only in part in" : "not in", settings.endpoint));
  FORGE_TRY(const hub::PulledModel pulled, run_pull_of(name, settings, on_interrupt));
  cached = hub::find_cached(cache, name);
  if (!cached || !cached->is_complete()) {
    return make_error("{}: the repository has no {}: not a model that Forge can run", name.text(),
                      cached ? fmt::format("{}", fmt::join(cached->missing, ", ")) : "files");
  }
  return engine::ModelSource{pulled.path == pulled.folder ? Kind::kFolder : Kind::kGgufFile,
                             pulled.path, name.text()};
}

/// A word that is no path. The cache is not searched for it: which model it meant would depend on
/// what else is there.
Error bare_name_error(const std::string& model) {
  std::string hint = "a model of the Hugging Face Hub is named org/name";
  const Result<hub::ModelName> name = hub::parse_cached_name(model);
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (name.ok() && settings.ok()) {
    const auto repo = hub::find_cached_repo(hub::Cache(settings->cache_folder), name->repo);
    if (repo.ok()) {
      hint = fmt::format("did you mean {}{}, which the cache has?", *repo,
                         model.substr(name->repo.size()));
    }
  }
  return make_error("{}: no such file or folder: {}", model, hint);
}

}  // namespace

Result<engine::ModelSource> find_model(const std::string& model, bool is_offline,
                                       OnInterrupt on_interrupt) {
  if (model.empty()) return default_model();
  std::error_code ignored;
  if (!std::filesystem::exists(model, ignored) && hub::looks_like_model_name(model)) {
    return named_model(model, is_offline, on_interrupt);
  }
  const bool is_word = model.find('/') == model.npos && !model.ends_with(".gguf");
  if (is_word && model != "bundled" && !std::filesystem::exists(model, ignored)) {
    return bare_name_error(model);
  }
  return engine::resolve_model(model);
}

std::string default_model_note(std::string_view name) {
  if (name == kDefaultModel) {
    return fmt::format("no --model and no FORGE_MODEL: using {} of the cache", name);
  }
  return fmt::format(
      "no --model and no FORGE_MODEL: using the bundled model, {}; a larger one: "
      "forge pull {}",
      name, kDefaultModel);
}

}  // namespace forge::cli
