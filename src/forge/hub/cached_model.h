// A model in the cache, looked up without a network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "forge/hub/cache.h"
#include "forge/hub/model_name.h"

namespace forge::hub {

struct CachedModel {
  std::string commit;
  std::string path;  // what a loader opens: the snapshot's folder, or a GGUF file in it
  bool is_gguf = false;
  std::vector<std::string> missing = {};  // files without which it cannot run

  [[nodiscard]] bool is_complete() const { return missing.empty(); }
};

/// What the cache has of the named model. Nothing where it has no snapshot of that revision. A
/// snapshot with config.json and safetensors is complete with those (all shards that the index
/// names) and a tokenizer; where a quantisation is named, or there are no safetensors, it is the
/// GGUF model of that quantisation, or of the best rank (quant_rank).
[[nodiscard]] std::optional<CachedModel> find_cached(const Cache& cache, const ModelName& name);

/// The files of a snapshot, relative to it, without following links to folders. Of a link that
/// leads to nothing there is no file.
struct SnapshotFile {
  std::string name;
  int64_t n_bytes = 0;
};
[[nodiscard]] std::vector<SnapshotFile> snapshot_files(const std::string& folder);

}  // namespace forge::hub
