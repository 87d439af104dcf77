#include "forge/hub/pull.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <charconv>
#include <memory>

#include "forge/base/format_bytes.h"
#include "forge/hub/download.h"
#include "forge/hub/file_name.h"
#include "forge/hub/file_selection.h"
#include "forge/hub/hub_request.h"

namespace forge::hub {
namespace {

constexpr size_t kMaxListingBytes = 32 << 20;
constexpr int64_t kSpareBytes = 64 << 20;  // a disk filled to its last byte breaks other programs

Result<RepoListing> list_repo(Transfers& transfers, const ModelName& name, const Settings& settings,
                              const PullEvents& events) {
  const Request request{.url = fmt::format("{}/api/models/{}/revision/{}?blobs=true",
                                           settings.endpoint, name.repo,
                                           url_encode(name.revision, Slashes::kEncoded))};
  const Answer answer = ask(transfers, request, kMaxListingBytes, settings, events);
  if (!answer.fault.ok()) {
    if (answer.fault.kind == Fault::Kind::kStopped) return make_error("interrupted");
    return Error{describe(answer.fault, {name.repo, name.revision, ""}, settings)};
  }
  return parse_repo_listing(answer.body, name.repo);
}

/// For a Hub whose list says nothing of sizes and hashes (some mirrors): the file's own head does.
Status ask_for_metadata(Transfers& transfers, const ModelName& name, const std::string& commit,
                        RepoFile& file, const Settings& settings, const PullEvents& events) {
  const Request request{.url = fmt::format("{}/{}/resolve/{}/{}", settings.endpoint, name.repo,
                                           commit, url_encode(file.name, Slashes::kKept)),
                        .is_head = true};
  const Answer answer = ask(transfers, request, 0, settings, events);
  if (answer.fault.kind == Fault::Kind::kStopped) return make_error("interrupted");
  if (!answer.fault.ok()) {
    return Error{describe(answer.fault, {name.repo, name.revision, file.name}, settings)};
  }
  const ResponseHead& head = answer.head;
  const auto either = [&](const char* linked, const char* own) {
    return head.field(linked).empty() ? head.field(own) : head.field(linked);
  };
  std::string hash = either("x-linked-etag", "etag");
  if (hash.starts_with("W/")) hash.erase(0, 2);
  std::erase(hash, '"');
  const std::string size = either("x-linked-size", "content-length");
  const auto [end, failure] = std::from_chars(size.data(), size.data() + size.size(), file.n_bytes);
  for (const auto kind : {ContentHash::Kind::kSha256, ContentHash::Kind::kGitSha1}) {
    if (!is_hash(hash, kind)) continue;
    file.hash = hash;
    file.hash_kind = kind;
  }
  if (failure != std::errc() || file.n_bytes < 0 || file.hash.empty()) {
    return make_error(
        "{}: {}: the server says neither its size nor its hash, without which a "
        "download cannot be verified",
        name.repo, file.name);
  }
  return {};
}

Status check_disk(const std::string& folder, const std::string& repo, int64_t n_missing) {
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return {};  // writing will say why
  const auto n_free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  if (n_missing == 0 || n_missing + kSpareBytes <= n_free) return {};
  return make_error(
      "{}: {} are to be downloaded, but the disk of {} has {} free: make room, or set "
      "HF_HUB_CACHE to another disk",
      repo, format_bytes(n_missing), folder, format_bytes(n_free));
}

}  // namespace

Result<PulledModel> pull(const ModelName& name, const PullOptions& options,
                         const PullEvents& events) {
  const Settings& settings = options.settings;
  if (settings.is_offline) {
    return make_error("{}: cannot be downloaded offline (--offline or HF_HUB_OFFLINE)",
                      name.text());
  }
  if (!settings.token.empty() && settings.endpoint.starts_with("http://")) {
    events.note(fmt::format("warning: the token ({}) goes to {} unencrypted", settings.token_origin,
                            settings.endpoint));
  }
  FORGE_TRY(const std::unique_ptr<Transfers> transfers, Transfers::make(settings));
  FORGE_TRY(const RepoListing listing, list_repo(*transfers, name, settings, events));
  FORGE_TRY(FileSelection selection, select_files(listing, name, options.memory_bytes));
  if (!selection.note.empty()) events.note(selection.note);
  for (RepoFile& file : selection.files) {
    if (file.n_bytes >= 0 && !file.hash.empty()) continue;
    FORGE_TRY_STATUS(ask_for_metadata(*transfers, name, listing.commit, file, settings, events));
  }

  const Cache cache(settings.cache_folder);
  FORGE_TRY_STATUS(cache.make_folders(name.repo));
  const int64_t n_missing = missing_bytes(cache, name.repo, selection.files);
  FORGE_TRY_STATUS(check_disk(cache.folder(), name.repo, n_missing));

  PulledModel model{.folder = cache.snapshot_folder(name.repo, listing.commit),
                    .commit = listing.commit,
                    .files = selection.files};
  model.path = model.folder;
  if (!selection.gguf_file.empty()) model.path += "/" + selection.gguf_file;
  for (const RepoFile& file : selection.files) model.n_bytes += file.n_bytes;
  DownloadContext context{cache,     settings,      events,        *transfers,
                          name.repo, name.revision, listing.commit};
  FORGE_TRY(const DownloadCounts counts, download(context, std::move(selection.files)));
  model.n_received = counts.n_received;
  FORGE_TRY_STATUS(cache.write_ref(name.repo, name.revision, listing.commit));
  return model;
}

}  // namespace forge::hub
