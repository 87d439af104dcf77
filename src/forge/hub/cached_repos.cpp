#include "forge/hub/cached_repos.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "forge/hub/cached_model.h"
#include "forge/hub/folder_entries.h"
#include "forge/hub/quant_name.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

/// The refs of a repository and their commits; names may have slashes.
std::map<std::string, std::string> read_refs(const Cache& cache, const std::string& repo) {
  std::map<std::string, std::string> refs;
  const fs::path folder = cache.repo_folder(repo) + "/refs";
  std::error_code failure;
  fs::recursive_directory_iterator at(folder, failure);
  for (const fs::recursive_directory_iterator end; !failure && at != end; at.increment(failure)) {
    const std::string name = at->path().lexically_relative(folder).generic_string();
    if (!check_revision(name).ok() || is_commit(name)) continue;
    if (const auto commit = cache.find_commit(repo, name)) refs[name] = *commit;
  }
  return refs;
}

std::vector<std::string> formats_of(const std::vector<SnapshotFile>& files) {
  std::set<std::string> formats;
  std::vector<NamedSize> sizes;
  for (const SnapshotFile& file : files) {
    sizes.push_back({file.name, file.n_bytes});
    if (file.name.ends_with(".safetensors")) formats.insert("safetensors");
    if (file.name.ends_with(".bin") || file.name.ends_with(".pt")) formats.insert("PyTorch");
  }
  for (const GgufModel& model : gguf_models(sizes)) {
    formats.insert(model.quant.empty() ? "GGUF" : "GGUF " + model.quant);
  }
  return {formats.begin(), formats.end()};
}

void add_sizes(const std::string& folder, const std::vector<SnapshotFile>& files,
               CachedRevision& revision) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const SnapshotFile& file : files) {
    struct stat found {};
    if (::stat((folder + "/" + file.name).c_str(), &found) != 0) continue;
    if (!seen.insert({found.st_dev, found.st_ino}).second) continue;
    revision.n_bytes += found.st_size;
    revision.used_at = std::max<int64_t>({revision.used_at, found.st_atime, found.st_mtime});
  }
}

int64_t incomplete_bytes(const std::string& repo_folder, int64_t& used_at) {
  int64_t n_bytes = 0;
  for (const fs::path& path : folder_entries(repo_folder + "/blobs")) {
    struct stat found {};
    if (path.extension() != ".incomplete" || ::lstat(path.c_str(), &found) != 0) continue;
    n_bytes += found.st_size;
    used_at = std::max<int64_t>(used_at, found.st_mtime);
  }
  return n_bytes;
}

bool is_cached_complete(const Cache& cache, const std::string& repo, const std::string& commit) {
  ModelName name;
  name.repo = repo;
  name.revision = commit;
  const auto found = find_cached(cache, name);
  return found && found->is_complete();
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return result;
}

}  // namespace

Result<std::string> find_cached_repo(const Cache& cache, const std::string& name) {
  if (name.find('/') != name.npos) return name;
  std::vector<std::string> same;
  std::vector<std::string> same_letters;
  std::vector<std::string> alike;
  for (const fs::path& folder : folder_entries(cache.folder())) {
    const auto repo = repo_of_folder(folder.filename().string());
    if (!repo) continue;
    const std::string own = repo->substr(repo->find('/') + 1);  // all of it where there is none
    if (own == name) same.push_back(*repo);
    if (lower(own) == lower(name)) same_letters.push_back(*repo);
    if (lower(*repo).find(lower(name)) != repo->npos) alike.push_back(*repo);
  }
  const std::vector<std::string>& found = same.empty() ? same_letters : same;
  if (found.size() == 1) return found.front();
  if (!found.empty()) {
    return make_error("{}: {} models of this name in the cache: which of {}?", name, found.size(),
                      fmt::join(found, ", "));
  }
  if (!alike.empty()) {
    return make_error("{}: not in the cache {}: did you mean {}?", name, cache.folder(),
                      fmt::join(alike, " or "));
  }
  return make_error("{}: not in the cache {} (forge list shows what is)", name, cache.folder());
}

std::vector<CachedRevision> list_cached(const Cache& cache) {
  std::vector<CachedRevision> all;
  for (const fs::path& folder : folder_entries(cache.folder())) {
    const auto repo = repo_of_folder(folder.filename().string());
    std::error_code ignored;
    if (!repo || !fs::is_directory(fs::symlink_status(folder, ignored))) continue;
    const auto refs = read_refs(cache, *repo);
    int64_t begun_at = 0;
    const int64_t n_incomplete = incomplete_bytes(folder.string(), begun_at);
    const size_t n_before = all.size();
    for (const fs::path& snapshot : folder_entries(folder / "snapshots")) {
      const std::string commit = snapshot.filename().string();
      if (!is_commit(commit)) continue;
      CachedRevision revision{.repo = *repo, .commit = commit};
      const std::vector<SnapshotFile> files = snapshot_files(snapshot.string());
      add_sizes(snapshot.string(), files, revision);
      revision.n_files = static_cast<int32_t>(files.size());
      revision.formats = formats_of(files);
      revision.is_complete = is_cached_complete(cache, *repo, commit);
      for (const auto& [ref, target] : refs) {
        if (target == commit) revision.refs.push_back(ref);
      }
      all.push_back(std::move(revision));
    }
    if (all.size() == n_before && n_incomplete > 0) {
      all.push_back({.repo = *repo, .commit = "", .refs = {}, .formats = {}, .used_at = begun_at});
    }
    if (all.size() > n_before) all.back().n_incomplete_bytes = n_incomplete;
  }
  return all;
}

}  // namespace forge::hub
