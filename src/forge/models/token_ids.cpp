#include "forge/models/token_ids.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace forge::models {
namespace {

std::optional<int32_t> valid_id(int64_t id, std::string_view key, ModelSpec& spec) {
  if (id >= 0 && id < spec.vocab_size) return static_cast<int32_t>(id);
  spec.notes.push_back(
      fmt::format("{} = {}: outside the vocabulary of {}, ignored", key, id, spec.vocab_size));
  return std::nullopt;
}

void add_eos(int64_t id, std::string_view key, ModelSpec& spec) {
  const auto valid = valid_id(id, key, spec);
  if (!valid || std::ranges::find(spec.eos_ids, *valid) != spec.eos_ids.end()) return;
  spec.eos_ids.push_back(*valid);
}

// An integer or a list of integers; nothing for null and absent.
Result<std::vector<int64_t>> read_ids(const json::Value& value, const std::string& where) {
  std::vector<int64_t> ids;
  if (value.is_missing() || value.is_null()) return ids;
  if (const auto id = value.as_int()) return std::vector<int64_t>{*id};
  for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
    const auto id = value.at(i).as_int();
    if (!id) return make_error("{} = {}: expected integers", where, value.dump());
    ids.push_back(*id);
  }
  if (!value.is_array()) {
    return make_error("{} = {}: expected an integer or a list of integers", where, value.dump());
  }
  return ids;
}

}  // namespace

Status read_hf_token_ids(const json::Value& config, const json::Value& generation,
                         const std::string& folder, ModelSpec& spec) {
  const auto read = [&](std::string_view key) -> Result<std::vector<int64_t>> {
    FORGE_TRY(auto ids, read_ids(generation.find(key),
                                 fmt::format("{}/generation_config.json: {}", folder, key)));
    if (!ids.empty()) return ids;
    return read_ids(config.find(key), fmt::format("{}/config.json: {}", folder, key));
  };
  FORGE_TRY(const auto bos, read("bos_token_id"));
  FORGE_TRY(const auto eos, read("eos_token_id"));
  if (!bos.empty()) spec.bos_id = valid_id(bos[0], "bos_token_id", spec);
  for (const int64_t id : eos) add_eos(id, "eos_token_id", spec);
  return {};
}

void read_gguf_token_ids(const formats::GgufFile& file, ModelSpec& spec) {
  const auto find = [&file](std::string_view key) -> std::optional<int64_t> {
    const formats::GgufValue* value = file.find(key);
    return value == nullptr ? std::nullopt : value->as_int();
  };
  if (const auto bos = find("tokenizer.ggml.bos_token_id")) {
    spec.bos_id = valid_id(*bos, "tokenizer.ggml.bos_token_id", spec);
  }
  for (const std::string_view key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
                                     "tokenizer.ggml.eom_token_id"}) {
    if (const auto id = find(key)) add_eos(*id, key, spec);
  }
}

}  // namespace forge::models
