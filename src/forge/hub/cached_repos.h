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

/// What is removed: links of snapshots, and blobs that no snapshot is left for.
struct Removal {
  std::string repo_folder;
  bool is_whole_repo = false;
  std::vector<std::string> snapshots = {};  // folders
  std::vector<std::string> refs = {};       // files
  std::vector<std::string> blobs = {};      // files
  int64_t n_bytes = 0;                      // that this frees
};

/// Plans the removal of a repository (is_whole_repo), or of one revision: a branch, a tag, a commit
/// or at least its first seven digits. Fails where the cache has no such thing, where the
/// repository's folder is a link, or where a process downloads into it.
[[nodiscard]] Result<Removal> plan_removal(const Cache& cache, const ModelName& name,
                                           bool is_whole_repo);
/// Does it. Follows no link: what links lead to outside of the repository's own blobs stays.
[[nodiscard]] Status remove(const Cache& cache, const Removal& removal);

}  // namespace forge::hub
