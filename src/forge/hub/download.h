// Files side by side into the cache.
#pragma once

#include <vector>

#include "forge/base/result.h"
#include "forge/hub/blob_download.h"

namespace forge::hub {

struct DownloadCounts {
  int64_t n_received = 0;  // bytes over the network
};

/// Fetches what the cache does not have of these files and links all of them into the snapshot.
/// Small files go first, each with one connection; what is left of the connections goes to ranges
/// of the large ones. The first failure that does not pass ends it, as does events.is_stopped();
/// what came so far stays.
[[nodiscard]] Result<DownloadCounts> download(DownloadContext& context,
                                              std::vector<RepoFile> files);

/// Bytes that are still to come for these files.
[[nodiscard]] int64_t missing_bytes(const Cache& cache, const std::string& repo,
                                    const std::vector<RepoFile>& files);

}  // namespace forge::hub
