// The part of cached_repos.h that finds out what goes when something is taken away.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "forge/base/format_bytes.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/file_lock.h"
#include "forge/hub/folder_entries.h"
#include "forge/hub/quant_name.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

int64_t bytes_of(const fs::path& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return 0;
  return found.st_size;
}

/// A file of a snapshot.
struct Entry {
  fs::path path;
  std::string name;  // relative to the snapshot
  std::string blob;  // of this repository, that it is a link to; empty where it is something else
};

/// The links and files of a snapshot. Links are not followed, so those to folders are entries too.
std::vector<Entry> entries_of(const fs::path& blobs, const fs::path& snapshot) {
  std::vector<Entry> entries;
  std::error_code failure;
  fs::recursive_directory_iterator at(snapshot, failure);
  for (const fs::recursive_directory_iterator end; !failure && at != end; at.increment(failure)) {
    std::error_code ignored;
    const fs::file_status status = at->symlink_status(ignored);
    if (fs::is_directory(status)) continue;
    Entry entry{at->path(), at->path().lexically_relative(snapshot).generic_string(), ""};
    if (fs::is_symlink(status)) {
      const fs::path target =
          (at->path().parent_path() / fs::read_symlink(at->path(), ignored)).lexically_normal();
      if (target.parent_path() == blobs) entry.blob = target.filename().string();
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<GgufModel> models_of(const fs::path& blobs, const std::vector<Entry>& entries) {
  std::vector<NamedSize> sizes;
  for (const Entry& entry : entries) {
    sizes.push_back({entry.name, bytes_of(entry.blob.empty() ? entry.path : blobs / entry.blob)});
  }
  return gguf_models(sizes);
}

/// The files of a quantisation; "Q4_K_XL" means the plain one where there is also "UD-Q4_K_XL".
std::set<std::string> files_of_quant(const std::vector<GgufModel>& models,
                                     const std::string& quant) {
  std::vector<GgufModel> found;
  for (const GgufModel& model : models) {
    if (same_quant(quant, model.quant)) found.push_back(model);
  }
  const auto is_variant = [](const GgufModel& model) { return model.quant.starts_with("UD-"); };
  if (!std::all_of(found.begin(), found.end(), is_variant)) std::erase_if(found, is_variant);
  std::set<std::string> files;
  for (const GgufModel& model : found) files.insert(model.files.begin(), model.files.end());
  return files;
}

/// Locks of running downloads are held by their processes.
Status check_not_busy(const Cache& cache, const std::string& repo) {
  const fs::path folder = fs::path(cache.lock_path(repo, "x")).parent_path();
  for (const fs::path& path : folder_entries(folder)) {
    const auto lock = FileLock::try_take(path.string());
    if (lock.ok() && !lock->has_value()) {
      return make_error("{}: another process downloads it right now: end that first", repo);
    }
  }
  return {};
}

Result<std::string> find_snapshot(const Cache& cache, const ModelName& name) {
  const fs::path folder = cache.repo_folder(name.repo) + "/snapshots";
  if (const auto commit = cache.find_commit(name.repo, name.revision)) return *commit;
  std::vector<std::string> found;
  std::string all;
  for (const fs::path& path : folder_entries(folder)) {
    const std::string commit = path.filename().string();
    if (!is_commit(commit)) continue;
    all += (all.empty() ? "" : ", ") + commit.substr(0, 12);
    if (name.revision.size() >= 7 && commit.starts_with(name.revision)) found.push_back(commit);
  }
  if (found.size() == 1) return found.front();
  return make_error("{}: {} revision \"{}\" in the cache: it has {}", name.repo,
                    found.empty() ? "no" : "more than one", name.revision,
                    all.empty() ? "none" : all);
}

/// The files of refs/ that hold this commit.
std::vector<std::string> refs_of(const Cache& cache, const std::string& repo,
                                 const std::string& commit) {
  std::vector<std::string> refs;
  const fs::path folder = cache.repo_folder(repo) + "/refs";
  std::error_code ignored;
  fs::recursive_directory_iterator at(folder, ignored);
  for (const fs::recursive_directory_iterator end; at != end; at.increment(ignored)) {
    const std::string ref = at->path().lexically_relative(folder).generic_string();
    const bool is_file = fs::is_regular_file(at->symlink_status(ignored));
    if (is_file && check_revision(ref).ok() && cache.find_commit(repo, ref) == commit) {
      refs.push_back(at->path().string());
    }
  }
  return refs;
}

/// What a repository has in all.
void plan_whole(const fs::path& folder, Removal& removal) {
  for (const fs::path& blob : folder_entries(folder / "blobs")) removal.n_bytes += bytes_of(blob);
  for (const fs::path& snapshot : folder_entries(folder / "snapshots")) {
    removal.snapshots.push_back(snapshot.string());
    for (const Entry& entry : entries_of("", snapshot)) {
      removal.n_bytes += bytes_of(entry.path);  // where links could not be made
    }
  }
}

/// One snapshot, or all (commit is empty); of them all files, or those of a quantisation.
Status plan_part(const Cache& cache, const ModelName& name, const std::string& commit,
                 Removal& removal) {
  const fs::path folder = removal.repo_folder;
  const fs::path blobs = (folder / "blobs").lexically_normal();
  std::set<std::string> doomed;
  std::set<std::string> kept;
  std::set<std::string> quants;
  for (const fs::path& snapshot : folder_entries(folder / "snapshots")) {
    const std::string of = snapshot.filename().string();
    const bool is_meant = is_commit(of) && (commit.empty() || of == commit);
    const std::vector<Entry> entries = entries_of(blobs, snapshot);
    std::set<std::string> files;
    std::error_code ignored;
    // Where the snapshot is a link, its files are not the cache's.
    if (is_meant && !name.quant.empty() && !fs::is_symlink(snapshot, ignored)) {
      const std::vector<GgufModel> models = models_of(blobs, entries);
      files = files_of_quant(models, name.quant);
      for (const GgufModel& model : models) {
        quants.insert(fmt::format("{} ({})",
                                  model.quant.empty() ? model.files.front() : model.quant,
                                  format_bytes(model.n_bytes)));
      }
    }
    size_t n_kept = 0;
    for (const Entry& entry : entries) {
      const bool goes = is_meant && (name.quant.empty() || files.contains(entry.name));
      n_kept += goes ? 0 : 1;
      if (!entry.blob.empty()) (goes ? doomed : kept).insert(entry.blob);
      if (!goes) continue;
      if (entry.blob.empty()) removal.n_bytes += bytes_of(entry.path);
      if (!name.quant.empty()) removal.files.push_back(entry.path.string());
    }
    if (!is_meant || n_kept > 0 || (!name.quant.empty() && files.empty())) continue;
    removal.snapshots.push_back(snapshot.string());
    for (std::string& ref : refs_of(cache, name.repo, of)) removal.refs.push_back(std::move(ref));
  }
  if (!name.quant.empty() && removal.files.empty()) {
    return make_error("{}: no GGUF file of type {} in the cache: it has {}", name.repo, name.quant,
                      quants.empty() ? "none" : fmt::format("{}", fmt::join(quants, ", ")));
  }
  for (const std::string& blob : doomed) {
    if (kept.contains(blob)) continue;
    removal.blobs.push_back((blobs / blob).string());
    removal.n_bytes += bytes_of(blobs / blob);
  }
  return {};
}

}  // namespace

Result<Removal> plan_removal(const Cache& cache, const ModelName& name, Revisions revisions) {
  const bool is_whole_repo = revisions == Revisions::kAll && name.quant.empty();
  Removal removal{.repo_folder = cache.repo_folder(name.repo), .is_whole_repo = is_whole_repo};
  const fs::path folder = removal.repo_folder;
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(folder, ignored);
  if (fs::is_symlink(status)) {
    return make_error("{}: {} is a link, which is not followed: delete it by hand", name.repo,
                      folder.string());
  }
  if (!fs::is_directory(status)) {
    return make_error("{}: not in the cache {} (forge list shows what is)", name.repo,
                      cache.folder());
  }
  FORGE_TRY_STATUS(check_not_busy(cache, name.repo));
  if (is_whole_repo) {
    plan_whole(folder, removal);
    return removal;
  }
  std::string commit;
  if (revisions == Revisions::kNamed) {
    FORGE_TRY(commit, find_snapshot(cache, name));
  }
  FORGE_TRY_STATUS(plan_part(cache, name, commit, removal));
  return removal;
}

}  // namespace forge::hub
