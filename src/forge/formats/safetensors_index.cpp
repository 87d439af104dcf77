#include "forge/formats/safetensors_index.h"

#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

// A plain file name of a shard: nothing in it can lead out of the folder.
bool is_shard_name(std::string_view file) {
  constexpr std::string_view kEnding = ".safetensors";
  return file.size() > kEnding.size() && file.ends_with(kEnding) &&
         file.find_first_of(std::string_view("/\\\0", 3)) == file.npos;
}

}  // namespace

Result<SafetensorsIndex> read_safetensors_index(const json::Value& root, std::string_view origin) {
  if (!root.is_object()) return make_error("{}: expected an object", origin);
  const json::Value weight_map = root.find("weight_map");
  if (!weight_map.is_object() || weight_map.size() == 0) {
    return make_error("{}: weight_map: {}, expected an object that names tensors", origin,
                      weight_map.is_missing()  ? "not there"
                      : weight_map.is_object() ? "empty"
                                               : "not an object");
  }
  SafetensorsIndex index;
  for (size_t i = 0; i < weight_map.size(); ++i) {
    const std::string_view tensor = weight_map.key_at(i);
    const auto file = weight_map.member_at(i).as_string();
    if (!file || !is_shard_name(*file)) {
      return make_error(
          "{}: weight_map: tensor {}: found {}, expected the name of a .safetensors "
          "file in the same folder",
          origin, quote(tensor), file ? quote(*file) : "no string");
    }
    if (!index.shard_of.try_emplace(std::string(tensor), *file).second) {
      return make_error("{}: weight_map: tensor {}: found twice, expected once", origin,
                        quote(tensor));
    }
  }
  return index;
}

}  // namespace forge::formats
