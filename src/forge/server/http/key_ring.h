// The API keys that are let in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/server/http/server_options.h"

namespace forge::server::http {

/// Knows the keys by their SHA-256 only. Immutable, so any thread may ask.
class KeyRing {
 public:
  explicit KeyRing(const std::vector<ApiKey>& keys);

  /// Without keys everybody is let in.
  [[nodiscard]] bool is_empty() const { return entries_.empty(); }

  /// Name of the key in an Authorization header, "Bearer KEY"; nothing where there is none that is
  /// known. Compares with every key, in a time that says nothing about how much was right.
  [[nodiscard]] std::optional<std::string> find(std::string_view authorization) const;

 private:
  using Digest = std::array<uint8_t, 32>;
  struct Entry {
    std::string name;
    Digest digest;
  };
  static Digest digest_of(std::string_view key);

  std::vector<Entry> entries_;
};

}  // namespace forge::server::http
