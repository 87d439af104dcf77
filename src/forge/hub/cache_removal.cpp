// The part of cached_repos.h that takes things away.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "forge/hub/cached_repos.h"
#include "forge/hub/file_lock.h"
#include "forge/hub/folder_entries.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

/// The blobs of the repository that a snapshot's links name; links that name something else are
/// left out, whatever they lead to.
std::set<std::string> linked_blobs(const fs::path& blobs, const fs::path& snapshot) {
  std::set<std::string> linked;
  std::error_code failure;
  fs::recursive_directory_iterator at(snapshot, failure);
  for (const fs::recursive_directory_iterator end; !failure && at != end; at.increment(failure)) {
    std::error_code ignored;
    if (!fs::is_symlink(at->symlink_status(ignored))) continue;
    const fs::path target =
        (at->path().parent_path() / fs::read_symlink(at->path(), ignored)).lexically_normal();
    if (target.parent_path() == blobs) linked.insert(target.filename().string());
  }
  return linked;
}

int64_t bytes_of(const fs::path& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return 0;
  return found.st_size;
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

}  // namespace

Result<Removal> plan_removal(const Cache& cache, const ModelName& name, bool is_whole_repo) {
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
  const fs::path blobs = (folder / "blobs").lexically_normal();
  if (is_whole_repo) {
    for (const fs::path& blob : folder_entries(blobs)) removal.n_bytes += bytes_of(blob);
    for (const fs::path& snapshot : folder_entries(folder / "snapshots")) {
      removal.snapshots.push_back(snapshot.string());
      for (const auto& entry : fs::recursive_directory_iterator(snapshot, ignored)) {
        removal.n_bytes += bytes_of(entry.path());  // where links could not be made
      }
    }
    return removal;
  }

  FORGE_TRY(const std::string commit, find_snapshot(cache, name));
  removal.snapshots.push_back((folder / "snapshots" / commit).string());
  std::set<std::string> kept;
  for (const fs::path& snapshot : folder_entries(folder / "snapshots")) {
    if (snapshot.filename() != commit) kept.merge(linked_blobs(blobs, snapshot));
  }
  for (const std::string& blob : linked_blobs(blobs, folder / "snapshots" / commit)) {
    if (kept.contains(blob)) continue;
    removal.blobs.push_back((blobs / blob).string());
    removal.n_bytes += bytes_of(blobs / blob);
  }
  fs::recursive_directory_iterator at(folder / "refs", ignored);
  for (const fs::recursive_directory_iterator end; at != end; at.increment(ignored)) {
    const std::string ref = at->path().lexically_relative(folder / "refs").generic_string();
    const bool is_file = fs::is_regular_file(at->symlink_status(ignored));
    if (is_file && check_revision(ref).ok() && cache.find_commit(name.repo, ref) == commit) {
      removal.refs.push_back(at->path().string());
    }
  }
  return removal;
}

Status remove(const Cache& cache, const Removal& removal) {
  std::error_code failure;
  const auto check = [&](const std::string& path) -> Status {
    if (!failure) return {};
    return make_error("{}: cannot delete: {}", path, failure.message());
  };
  // Refs first and blobs last: whoever looks in between finds nothing, rather than half of it.
  for (const std::string& ref : removal.refs) {
    fs::remove(ref, failure);
    FORGE_TRY_STATUS(check(ref));
  }
  for (const std::string& snapshot : removal.snapshots) {
    fs::remove_all(snapshot, failure);  // takes links away, not what they lead to
    FORGE_TRY_STATUS(check(snapshot));
  }
  for (const std::string& blob : removal.blobs) {
    fs::remove(blob, failure);
    FORGE_TRY_STATUS(check(blob));
  }
  const std::string snapshots = removal.repo_folder + "/snapshots";
  const bool is_last = fs::is_empty(snapshots, failure) && !failure;
  if (!removal.is_whole_repo && !is_last) return {};
  fs::remove_all(removal.repo_folder, failure);
  FORGE_TRY_STATUS(check(removal.repo_folder));
  const std::string locks =
      cache.folder() + "/.locks/" + fs::path(removal.repo_folder).filename().string();
  fs::remove_all(locks, failure);
  return {};
}

}  // namespace forge::hub
