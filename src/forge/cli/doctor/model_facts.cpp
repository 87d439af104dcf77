// The cache of the Hub, the default model, and the terminal.
#include <langinfo.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdlib>
#include <filesystem>

#include "forge/cli/doctor/facts.h"
#include "forge/cli/model_options.h"
#include "forge/engine.h"
#include "forge/generate.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/settings.h"

namespace forge::cli::doctor {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The folder, or the nearest one above it that is there.
fs::path existing_part(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder.empty() ? "." : folder;
}

Result<Generation> one_token(const Model& model, const EngineOptions& options,
                             std::string& device) {
  FORGE_TRY(const std::unique_ptr<Engine> engine, Engine::create(model, options));
  device = engine->info().device_text;
  Request request;
  request.prompt = model.tokenize("Once");
  request.max_tokens = 1;
  request.ignore_eos = true;
  return generate(*engine, std::move(request));
}

}  // namespace

CacheFacts cache_facts() {
  CacheFacts facts;
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (!settings.ok()) {
    facts.problem = settings.error().message;
    return facts;
  }
  facts.folder = settings->cache_folder;
  facts.token_origin = settings->token.empty() ? "" : settings->token_origin;
  facts.is_offline = settings->is_offline;
  std::error_code error;
  facts.exists = fs::exists(facts.folder, error);
  const fs::path there = existing_part(facts.folder);
  facts.is_writable = ::access(there.c_str(), W_OK | X_OK) == 0 && fs::is_directory(there, error);
  struct statvfs disk {};
  if (::statvfs(there.c_str(), &disk) == 0) {
    facts.free_bytes = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  }
  for (const hub::CachedRevision& cached : hub::list_cached(hub::Cache(facts.folder))) {
    facts.n_bytes += cached.n_bytes + cached.n_incomplete_bytes;
    facts.n_models += cached.is_complete ? 1 : 0;
  }
  return facts;
}

ModelFacts try_model() {
  const auto begin = std::chrono::steady_clock::now();
  ModelFacts facts;
  ModelOptions options;
  options.model = variable("FORGE_MODEL");
  options.is_offline = true;
  facts.origin = options.model.empty() ? "default" : "FORGE_MODEL";
  facts.name = options.model;
  Result<engine::LoadedModel> loaded = load(options);
  if (!loaded.ok()) {
    facts.problem = loaded.error().message;
    return facts;
  }
  facts.name = loaded->name;
  const Model model = Model::from(std::move(loaded).value());
  EngineOptions engine;
  if (const std::string device = variable("FORGE_DEVICE"); !device.empty()) engine.device = device;
  engine.max_sequences = 1;
  engine.context_len = std::min(16, model.info().context_len);
  engine.kv_cache_tokens = engine.context_len;
  const Result<Generation> generation = one_token(model, engine, facts.device);
  if (!generation.ok()) facts.problem = generation.error().message;
  facts.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return facts;
}

Facts all_facts() {
  Facts facts;
  facts.cpu = cpu_facts();
  facts.memory = memory_facts();
  facts.cuda = cuda_facts();
  facts.cache = cache_facts();
  facts.model = try_model();
  facts.terminal = terminal();
  facts.term = variable("TERM");
  std::setlocale(LC_CTYPE, "");
  facts.encoding = nl_langinfo(CODESET);
  return facts;
}

}  // namespace forge::cli::doctor
