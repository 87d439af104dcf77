// What a repository holds, as the Hub's API tells it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/hub/content_hash.h"

namespace forge::hub {

struct RepoFile {
  std::string name;      // relative, checked by check_file_name()
  int64_t n_bytes = -1;  // negative: not told
  ContentHash::Kind hash_kind = ContentHash::Kind::kGitSha1;
  std::string hash = {};  // names the blob in the cache; empty: not told
};

struct RepoListing {
  std::string commit;
  std::vector<RepoFile> files;
};

/// Reads the answer of /api/models/REPO/revision/REVISION?blobs=true. Fails where it is not what
/// the Hub sends, or names a file in a way that could leave its folder.
[[nodiscard]] Result<RepoListing> parse_repo_listing(std::string_view json, std::string_view repo);

}  // namespace forge::hub
