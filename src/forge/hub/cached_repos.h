// What the cache holds, and taking it away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/hub/cache.h"
#include "forge/hub/model_name.h"

namespace forge::hub {

/// One snapshot of one repository.
struct CachedRevision {
  std::string repo;
  std::string commit;
  std::vector<std::string> refs = {};  // branches and tags that are this commit; sorted
  int64_t n_bytes = 0;                 // of its files on disk, each content once
  int32_t n_files = 0;
  std::vector<std::string> formats = {};  // "safetensors", "GGUF Q4_K_M", ...
  bool is_complete = false;               // can run
  int64_t n_incomplete_bytes = 0;         // begun and not finished, in this repository
  int64_t used_at = 0;                    // seconds since 1970: last read or written
};

/// All of them, by name. A repository that has only the beginnings of files is one without a
/// commit.
[[nodiscard]] std::vector<CachedRevision> list_cached(const Cache& cache);

/// The repository that a name stands for: itself, or where it has no organisation the only one in
/// the cache whose name it is (without regard to case where none is spelt like that). Fails where
/// there is none, naming those that are alike, and where there are several, naming them.
[[nodiscard]] Result<std::string> find_cached_repo(const Cache& cache, const std::string& name);

/// What is removed: links of snapshots, and blobs that no link is left for.
struct Removal {
  std::string repo_folder;
  bool is_whole_repo = false;
  std::vector<std::string> snapshots = {};  // folders
  std::vector<std::string> files = {};      // of snapshots, of a quantisation
  std::vector<std::string> refs = {};       // files
  std::vector<std::string> blobs = {};      // files
  int64_t n_bytes = 0;                      // that this frees
};

/// All revisions of a repository, or the one that is named: a branch, a tag, a commit or at least
/// its first seven digits.
enum class Revisions { kAll, kNamed };
/// Plans the removal of revisions, or of a quantisation in them: all parts of its GGUF files, and
/// the snapshot where nothing else is left in it. Fails where the cache has no such thing, where
/// the repository's folder is a link, or where a process downloads into it.
[[nodiscard]] Result<Removal> plan_removal(const Cache& cache, const ModelName& name,
                                           Revisions revisions);
/// Does it. Follows no link: what links lead to outside of the repository's own blobs stays.
[[nodiscard]] Status remove(const Cache& cache, const Removal& removal);

}  // namespace forge::hub
