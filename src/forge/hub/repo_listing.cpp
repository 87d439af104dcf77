#include "forge/hub/repo_listing.h"

#include <set>

#include "forge/base/json.h"
#include "forge/hub/file_name.h"
#include "forge/hub/model_name.h"

namespace forge::hub {
namespace {

constexpr size_t kMaxFiles = 100'000;
constexpr int64_t kMaxFileBytes = int64_t{1} << 50;

std::string text_of(const json::Value& value) {
  return std::string(value.as_string().value_or(std::string_view()));
}

Result<RepoFile> read_file(const json::Value& entry) {
  RepoFile file{.name = text_of(entry.find("rfilename"))};
  FORGE_TRY_STATUS(check_file_name(file.name));
  const json::Value lfs = entry.find("lfs");
  if (lfs.is_object()) {
    file.hash_kind = ContentHash::Kind::kSha256;
    file.hash = text_of(lfs.find("sha256"));
    file.n_bytes = lfs.find("size").as_int().value_or(-1);
  } else {
    file.hash = text_of(entry.find("blobId"));
    file.n_bytes = entry.find("size").as_int().value_or(-1);
  }
  if (file.n_bytes > kMaxFileBytes) {
    return make_error("{}: {} bytes, expected a size that some disk has", file.name, file.n_bytes);
  }
  if (!file.hash.empty() && !is_hash(file.hash, file.hash_kind)) {
    return make_error("{}: its hash \"{:.80}\" is none", file.name, file.hash);
  }
  return file;
}

}  // namespace

Result<RepoListing> parse_repo_listing(std::string_view text, std::string_view repo) {
  const auto document = json::Document::parse(text, "");
  if (!document.ok()) {
    return make_error("{}: the Hub's answer is no JSON ({}): is HF_ENDPOINT the address of a Hub?",
                      repo, document.error().message);
  }
  const json::Value root = document->root();
  RepoListing listing{.commit = text_of(root.find("sha")), .files = {}};
  const json::Value siblings = root.find("siblings");
  if (!is_commit(listing.commit) || !siblings.is_array()) {
    return make_error(
        "{}: the Hub's answer has no commit and list of files: is HF_ENDPOINT the "
        "address of a Hub?",
        repo);
  }
  if (siblings.size() > kMaxFiles) {
    return make_error("{}: {} files, expected at most {}", repo, siblings.size(), kMaxFiles);
  }
  std::set<std::string, std::less<>> names;
  for (size_t i = 0; i < siblings.size(); ++i) {
    Result<RepoFile> file = read_file(siblings.at(i));
    if (!file.ok()) return make_error("{}: {}", repo, file.error().message);
    if (!names.insert(file->name).second) {
      return make_error("{}: {} is listed twice", repo, file->name);
    }
    listing.files.push_back(std::move(file).value());
  }
  return listing;
}

}  // namespace forge::hub
