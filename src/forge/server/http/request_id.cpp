#include "forge/server/http/request_id.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "forge/base/check.h"

namespace forge::server::http {
namespace {

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string choose_request_id(std::string_view from_client) {
  constexpr size_t kMaxLength = 128;
  if (!from_client.empty() && from_client.size() <= kMaxLength &&
      std::all_of(from_client.begin(), from_client.end(), is_id_character)) {
    return std::string(from_client);
  }
  std::array<unsigned char, 16> bytes;
  FORGE_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1, "no random bytes from the system");
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace forge::server::http
