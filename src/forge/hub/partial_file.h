// The part of a blob that is there, growing from its beginning.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "forge/base/result.h"
#include "forge/hub/content_hash.h"

namespace forge::hub {

/// HASH.incomplete: always the first bytes of the blob and nothing else, so whoever finds it, also
/// after a kill -9, goes on at its end. The hash runs along. One thread.
class PartialFile {
 public:
  /// Opens it or makes it; one that is longer than the blob is emptied.
  [[nodiscard]] static Result<PartialFile> open(const std::string& blob_path, int64_t n_bytes,
                                                ContentHash::Kind kind);
  ~PartialFile();
  PartialFile(PartialFile&& other) noexcept;
  PartialFile& operator=(PartialFile&& other) = delete;

  /// Bytes that were found and are hashed now (hash_found), or were appended.
  [[nodiscard]] int64_t n_done() const { return n_hashed_; }
  /// Bytes on disk from an earlier run that are not hashed yet.
  [[nodiscard]] int64_t n_unhashed() const { return n_found_ - n_hashed_; }
  /// Hashes some of those.
  [[nodiscard]] Status hash_found();

  /// Fails where the disk is full, saying so.
  [[nodiscard]] Status append(std::span<const char> bytes);
  [[nodiscard]] Status restart();
  /// The whole content is there: gives its hash. Once; then commit(), restart() or discard().
  [[nodiscard]] std::string finish_hash() { return hash_.finish(); }
  /// Gives the file its name, after what it holds is on the disk.
  [[nodiscard]] Status commit();
  /// Deletes it.
  void discard();

 private:
  PartialFile(std::string blob_path, int descriptor, int64_t n_bytes, ContentHash::Kind kind);
  [[nodiscard]] Error error(const char* what, int number) const;

  std::string blob_path_;
  std::string path_;
  int descriptor_;
  int64_t n_bytes_;
  ContentHash::Kind kind_;
  ContentHash hash_;
  int64_t n_found_ = 0;
  int64_t n_hashed_ = 0;
};

}  // namespace forge::hub
