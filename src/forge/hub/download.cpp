#include "forge/hub/download.h"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <set>

namespace forge::hub {
namespace {

// As many as browsers and huggingface_hub open; more are seen as an attack by some.
constexpr size_t kMaxConnections = 8;
constexpr std::chrono::milliseconds kTurn{50};

using Blobs = std::vector<std::unique_ptr<BlobDownload>>;

/// Files that hold a lock and memory are no more than there are connections.
Status step_all(Blobs& blobs) {
  size_t n_open = 0;
  for (const auto& blob : blobs) {
    if (blob->is_done()) continue;
    if (++n_open > kMaxConnections) break;
    FORGE_TRY_STATUS(blob->step());
  }
  return {};
}

void fill_connections(Blobs& blobs, const Transfers& transfers) {
  for (const auto& blob : blobs) {
    if (transfers.n_running() >= kMaxConnections) return;
    if (blob->n_connections() == 0 && blob->wants_connection()) blob->start_connection();
  }
  // Those with the fewest first, so that files share what is left.
  for (int n = 1; n < static_cast<int>(kMaxConnections); ++n) {
    for (const auto& blob : blobs) {
      if (transfers.n_running() >= kMaxConnections) return;
      if (blob->n_connections() == n && blob->wants_connection()) blob->start_connection();
    }
  }
}

PullProgress progress_of(const Blobs& blobs) {
  PullProgress progress;
  for (const auto& blob : blobs) progress.files.push_back(blob->progress());
  return progress;
}

int64_t bytes_on_disk(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) ? found.st_size : -1;
}

}  // namespace

Result<DownloadCounts> download(DownloadContext& context, std::vector<RepoFile> files) {
  std::stable_sort(files.begin(), files.end(),
                   [](const RepoFile& a, const RepoFile& b) { return a.n_bytes < b.n_bytes; });
  Blobs blobs;
  std::set<std::string> hashes;
  std::vector<RepoFile> again;  // the same content under another name
  for (RepoFile& file : files) {
    if (!hashes.insert(file.hash).second) {
      again.push_back(std::move(file));
    } else {
      blobs.push_back(std::make_unique<BlobDownload>(context, std::move(file)));
    }
  }
  const auto tell = [&] {
    if (context.events.on_progress) context.events.on_progress(progress_of(blobs));
  };
  tell();
  while (true) {
    FORGE_TRY_STATUS(step_all(blobs));
    if (std::all_of(blobs.begin(), blobs.end(), [](const auto& b) { return b->is_done(); })) break;
    if (context.events.is_stopped()) return make_error("interrupted");
    fill_connections(blobs, context.transfers);
    const bool is_hashing = std::any_of(blobs.begin(), blobs.end(), [](const auto& blob) {
      return blob->progress().state == FileProgress::State::kChecking;
    });
    context.transfers.poll(is_hashing ? std::chrono::milliseconds(0) : kTurn);
    tell();
  }
  tell();
  for (const RepoFile& file : again) {
    FORGE_TRY_STATUS(context.cache.link_file(context.repo, context.commit, file.name, file.hash));
  }
  DownloadCounts counts;
  for (const auto& blob : blobs) counts.n_received += blob->progress().n_received;
  return counts;
}

int64_t missing_bytes(const Cache& cache, const std::string& repo,
                      const std::vector<RepoFile>& files) {
  int64_t n_missing = 0;
  std::set<std::string> seen;  // the same content under two names is fetched once
  for (const RepoFile& file : files) {
    if (!seen.insert(file.hash).second) continue;
    const std::string path = cache.blob_path(repo, file.hash);
    if (bytes_on_disk(path) == file.n_bytes) continue;
    const int64_t n_there = bytes_on_disk(path + ".incomplete");
    n_missing += file.n_bytes - (n_there > file.n_bytes ? 0 : std::max<int64_t>(n_there, 0));
  }
  return n_missing;
}

}  // namespace forge::hub
