#include "forge/server/http/key_ring.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <boost/beast/core/string.hpp>

namespace forge::server::http {

KeyRing::KeyRing(const std::vector<ApiKey>& keys) {
  for (const auto& key : keys) entries_.push_back({key.name, digest_of(key.key)});
}

KeyRing::Digest KeyRing::digest_of(std::string_view key) {
  Digest digest;
  SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), digest.data());
  return digest;
}

std::optional<std::string> KeyRing::find(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  if (!boost::beast::iequals({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()})) {
    return std::nullopt;
  }
  const Digest digest = digest_of(authorization.substr(kScheme.size()));
  const Entry* found = nullptr;
  for (const auto& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return found->name;
}

}  // namespace forge::server::http
