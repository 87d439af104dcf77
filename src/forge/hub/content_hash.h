// The hashes by which the Hub names content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace forge::hub {

/// A file's hash while its bytes come in: SHA-256 of the content (large files, by Git LFS), or
/// Git's SHA-1 of a blob, "blob SIZE\0" before the content (small ones).
class ContentHash {
 public:
  enum class Kind { kSha256, kGitSha1 };

  /// n_bytes: of the whole content, which Git's hash begins with.
  ContentHash(Kind kind, int64_t n_bytes);
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;

  void update(std::span<const char> bytes);
  /// Lower-case hex digits. Once, at the end.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 (SHA-256) or 40 (SHA-1) lower-case hex digits: what names a blob in the cache.
[[nodiscard]] bool is_hash(std::string_view text, ContentHash::Kind kind);

}  // namespace forge::hub
