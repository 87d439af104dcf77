// From a model's name to its files in the cache.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/hub/model_name.h"
#include "forge/hub/pull_events.h"
#include "forge/hub/repo_listing.h"
#include "forge/hub/settings.h"

namespace forge::hub {

struct PullOptions {
  Settings settings;
  std::optional<int64_t> memory_bytes;  // for the choice of a GGUF file; nothing: not known
};

struct PulledModel {
  std::string path = {};  // what a loader opens: the snapshot's folder, or the GGUF file in it
  std::string folder;     // the snapshot
  std::string commit;
  std::vector<RepoFile> files = {};
  int64_t n_bytes = 0;     // of all files
  int64_t n_received = 0;  // over the network, in this call
};

/// Asks the Hub what the revision is now, fetches what the cache does not have of it, verifies each
/// file by its hash before it gets its name, and only then lets the revision be that commit. Fails
/// with one line that says what to do; "interrupted" where events.is_stopped() said so. What came
/// until then is kept and used by the next call.
[[nodiscard]] Result<PulledModel> pull(const ModelName& name, const PullOptions& options,
                                       const PullEvents& events);

}  // namespace forge::hub
