#include "forge/convert/file_hash.h"

#include <algorithm>

#include "forge/base/mapped_file.h"
#include "forge/hub/content_hash.h"

namespace forge::convert {

bool is_sha256(std::string_view text) {
  return hub::is_hash(text, hub::ContentHash::Kind::kSha256);
}

Result<std::string> sha256_of_file(const std::string& path,
                                   const std::function<bool(int64_t n)>& on_bytes) {
  constexpr size_t kPieceBytes = size_t{4} << 20;
  FORGE_TRY(const MappedFile file, MappedFile::open(path));
  hub::ContentHash hash(hub::ContentHash::Kind::kSha256, 0);
  for (size_t at = 0; at < file.bytes().size(); at += kPieceBytes) {
    const auto piece = file.bytes().subspan(at, std::min(kPieceBytes, file.bytes().size() - at));
    hash.update({reinterpret_cast<const char*>(piece.data()), piece.size()});
    release_pages(piece);
    if (!on_bytes(static_cast<int64_t>(piece.size()))) return make_error("{}: interrupted", path);
  }
  return hash.finish();
}

}  // namespace forge::convert
