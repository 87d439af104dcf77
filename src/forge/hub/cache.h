// The cache of models on disk, shared with the Python tools of the Hub.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::hub {

/// The layout of huggingface_hub:
///
///   FOLDER/models--ORG--NAME/blobs/HASH               content, named by its hash
///                           /blobs/HASH.incomplete    the first part of it
///                           /refs/REVISION            a file that holds a commit
///                           /snapshots/COMMIT/FILE    a link, ../../blobs/HASH
///   FOLDER/.locks/models--ORG--NAME/HASH.lock         flock()ed by who downloads
///
/// Nothing is made before it is needed. Reads and writes the disk at every call; any thread.
class Cache {
 public:
  explicit Cache(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string repo_folder(std::string_view repo) const;
  [[nodiscard]] std::string snapshot_folder(std::string_view repo, std::string_view commit) const;
  [[nodiscard]] std::string blob_path(std::string_view repo, std::string_view hash) const;
  [[nodiscard]] std::string lock_path(std::string_view repo, std::string_view hash) const;

  /// The commit that a revision was when it was last fetched; a commit is itself. Nothing where
  /// the cache does not know it.
  [[nodiscard]] std::optional<std::string> find_commit(std::string_view repo,
                                                       std::string_view revision) const;

  /// Makes the folders of a repository. Fails where one of them is a link: they lie in the cache.
  [[nodiscard]] Status make_folders(std::string_view repo) const;
  /// Makes the snapshot's link to a blob, and the folders on the way to it, none of which may be
  /// a link. file: checked by check_file_name().
  [[nodiscard]] Status link_file(std::string_view repo, std::string_view commit,
                                 std::string_view file, std::string_view hash) const;
  /// Lets the revision be this commit, at once for everybody (a file is replaced).
  [[nodiscard]] Status write_ref(std::string_view repo, std::string_view revision,
                                 std::string_view commit) const;

 private:
  std::string folder_;
};

/// "org/name" of "models--org--name"; nothing where the folder is no model's.
[[nodiscard]] std::optional<std::string> repo_of_folder(std::string_view folder_name);

}  // namespace forge::hub
