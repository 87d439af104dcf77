// The part of cached_repos.h that takes things away.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "forge/hub/cached_repos.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

/// Takes the folders away that a removed file leaves empty, but not the snapshot's own.
void remove_empty_folders(const fs::path& file, const fs::path& snapshots) {
  std::error_code failure;
  for (fs::path at = file.parent_path(); at.parent_path() != snapshots; at = at.parent_path()) {
    if (!fs::remove(at, failure)) return;
  }
}

}  // namespace

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
  for (const std::string& file : removal.files) {
    fs::remove(file, failure);
    FORGE_TRY_STATUS(check(file));
    remove_empty_folders(file, removal.repo_folder + "/snapshots");
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
  // What is left of a download that was broken off may be of another quantisation.
  if (!removal.files.empty() && !fs::is_empty(removal.repo_folder + "/blobs", failure)) return {};
  fs::remove_all(removal.repo_folder, failure);
  FORGE_TRY_STATUS(check(removal.repo_folder));
  const std::string locks =
      cache.folder() + "/.locks/" + fs::path(removal.repo_folder).filename().string();
  fs::remove_all(locks, failure);
  return {};
}

}  // namespace forge::hub
