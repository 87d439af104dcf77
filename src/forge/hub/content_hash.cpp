#include "forge/hub/content_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "forge/base/check.h"

namespace forge::hub {

struct ContentHash::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

ContentHash::ContentHash(Kind kind, int64_t n_bytes) : state_(std::make_unique<State>()) {
  const EVP_MD* algorithm = kind == Kind::kSha256 ? EVP_sha256() : EVP_sha1();
  FORGE_CHECK(EVP_DigestInit_ex(state_->context, algorithm, nullptr) == 1, "no hash");
  if (kind != Kind::kGitSha1) return;
  const std::string head = fmt::format("blob {}", n_bytes);
  update({head.c_str(), head.size() + 1});  // with the zero
}

ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::update(std::span<const char> bytes) {
  FORGE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "no hash");
}

std::string ContentHash::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned n = 0;
  FORGE_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), &n) == 1, "no hash");
  std::string text;
  for (unsigned i = 0; i < n; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

bool is_hash(std::string_view text, ContentHash::Kind kind) {
  const size_t length = kind == ContentHash::Kind::kSha256 ? 64 : 40;
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace forge::hub
