// The part of safetensors.h that opens a folder, sharded or not.
#include <filesystem>
#include <set>
#include <utility>

#include "forge/formats/quote.h"
#include "forge/formats/safetensors.h"
#include "forge/formats/safetensors_index.h"

namespace forge::formats {
namespace {

// Each tensor of the shard must be the index's for this very file.
Status check_shard(const TensorSet& shard, const std::string& file, const SafetensorsIndex& index,
                   const std::string& index_path) {
  for (const NamedTensor& tensor : shard.tensors()) {
    const auto listed = index.shard_of.find(tensor.name);
    if (listed == index.shard_of.end()) {
      return make_error("{}: tensor {}: not in {}, expected there", tensor.file, quote(tensor.name),
                        index_path);
    }
    if (listed->second != file) {
      return make_error("{}: tensor {}: found here, expected in {} as {} says", tensor.file,
                        quote(tensor.name), quote(listed->second), index_path);
    }
  }
  return {};
}

Result<TensorSet> open_shards(const std::string& folder, const std::string& index_path) {
  FORGE_TRY(const auto document, json::Document::load(index_path));
  FORGE_TRY(const auto index, read_safetensors_index(document.root(), index_path));
  std::set<std::string> files;
  for (const auto& [tensor, file] : index.shard_of) files.insert(file);
  TensorSet all;
  for (const std::string& file : files) {
    auto shard = open_safetensors(folder + "/" + file);
    if (!shard.ok())
      return make_error("{}: shard {}: {}", index_path, quote(file), shard.error().message);
    FORGE_TRY_STATUS(check_shard(*shard, file, index, index_path));
    FORGE_TRY_STATUS(all.absorb(std::move(shard).value()));
  }
  for (const auto& [tensor, file] : index.shard_of) {
    if (all.find(tensor) == nullptr) {
      return make_error("{}: tensor {}: not in {}, expected there", index_path, quote(tensor),
                        quote(file));
    }
  }
  return all;
}

}  // namespace

Result<TensorSet> open_safetensors_folder(const std::string& folder) {
  const std::string single = folder + "/model.safetensors";
  const std::string index = single + ".index.json";
  std::error_code ignored;  // what cannot be looked at is not there; opening says why
  if (!std::filesystem::is_directory(folder, ignored)) {
    return make_error("{}: no such folder", folder);
  }
  if (std::filesystem::exists(single, ignored)) return open_safetensors(single);
  if (std::filesystem::exists(index, ignored)) return open_shards(folder, index);
  return make_error("{}: no weights: expected model.safetensors or model.safetensors.index.json",
                    folder);
}

}  // namespace forge::formats
