#include "forge/hub/cached_model.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "forge/base/json.h"
#include "forge/hub/file_name.h"
#include "forge/hub/quant_name.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string, std::less<>>;

/// The shards that an index names; empty where it cannot be read.
Names shards_of(const std::string& index_path) {
  Names shards;
  const auto document = json::Document::load(index_path);
  if (!document.ok()) return shards;
  const json::Value map = document->root().find("weight_map");
  for (size_t i = 0; i < map.size(); ++i) {
    const auto file = map.member_at(i).as_string();
    if (file && check_file_name(*file).ok()) shards.emplace(*file);
  }
  return shards;
}

void find_safetensors(const Names& files, CachedModel& model) {
  if (!files.contains("config.json")) model.missing.emplace_back("config.json");
  if (!files.contains("model.safetensors")) {
    const Names shards = shards_of(model.path + "/model.safetensors.index.json");
    if (shards.empty()) model.missing.emplace_back("model.safetensors");
    for (const std::string& shard : shards) {
      if (!files.contains(shard)) model.missing.push_back(shard);
    }
  }
  const bool has_tokenizer = files.contains("tokenizer.json") ||
                             files.contains("tokenizer.model") ||
                             (files.contains("vocab.json") && files.contains("merges.txt"));
  if (!has_tokenizer) model.missing.emplace_back("tokenizer.json");
}

void find_gguf(const std::vector<GgufModel>& models, const ModelName& name, CachedModel& found) {
  const GgufModel* best = nullptr;
  const auto rank = [](const GgufModel& model) {
    const int known = quant_rank(model.quant);
    return std::pair(model.n_missing > 0, known < 0 ? 1000 : known);
  };
  for (const GgufModel& model : models) {
    if (!name.quant.empty() && !same_quant(name.quant, model.quant)) continue;
    if (best == nullptr || rank(model) < rank(*best)) best = &model;
  }
  found.is_gguf = true;
  if (best == nullptr) {
    found.missing.push_back("a GGUF file of type " + name.quant);
    return;
  }
  found.path += "/" + best->files.front();
  if (best->n_missing > 0) found.missing.push_back("parts of " + best->files.front());
}

}  // namespace

std::vector<SnapshotFile> snapshot_files(const std::string& folder) {
  std::vector<SnapshotFile> files;
  std::error_code failure;
  fs::recursive_directory_iterator at(folder, failure);
  const fs::recursive_directory_iterator end;
  for (; !failure && at != end; at.increment(failure)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;  // follows a link to a file
    const auto n_bytes = static_cast<int64_t>(at->file_size(ignored));
    files.push_back({at->path().lexically_relative(folder).generic_string(), n_bytes});
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

std::optional<CachedModel> find_cached(const Cache& cache, const ModelName& name) {
  const auto commit = cache.find_commit(name.repo, name.revision);
  if (!commit) return std::nullopt;
  CachedModel model{.commit = *commit, .path = cache.snapshot_folder(name.repo, *commit)};
  std::error_code ignored;
  if (!fs::is_directory(model.path, ignored)) return std::nullopt;
  Names names;
  std::vector<NamedSize> sizes;
  for (const SnapshotFile& file : snapshot_files(model.path)) {
    names.insert(file.name);
    sizes.push_back({file.name, file.n_bytes});
  }
  const std::vector<GgufModel> ggufs = gguf_models(sizes);
  const bool has_safetensors =
      names.contains("model.safetensors") || names.contains("model.safetensors.index.json");
  if (!name.quant.empty() || (!has_safetensors && !ggufs.empty())) {
    find_gguf(ggufs, name, model);
  } else {
    find_safetensors(names, model);
  }
  return model;
}

}  // namespace forge::hub
