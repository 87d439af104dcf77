// Any bytes as JSON text and as an index of shards: refused, or every value readable, and its dump
// parses to the same dump again.
#include <cstdlib>

#include "forge/base/json.h"
#include "forge/formats/safetensors_index.h"

namespace {

// Looks at everything through every accessor.
size_t walk(const forge::json::Value& value) {
  size_t sum = static_cast<size_t>(value.kind());
  sum +=
      value.as_bool().value_or(false) + value.as_int().has_value() + value.as_double().has_value();
  for (const char c : value.as_string().value_or("")) sum += static_cast<unsigned char>(c);
  for (size_t i = 0; value.is_array() && i < value.size(); ++i) sum += walk(value.at(i));
  for (size_t i = 0; value.is_object() && i < value.size(); ++i) {
    sum += value.key_at(i).size() + walk(value.member_at(i));
  }
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = forge::json::Document::parse(text, "fuzz.json");
  if (!document.ok()) return 0;
  walk(document->root());
  const std::string dump = document->root().dump();
  const auto again = forge::json::Document::parse(dump, "dump");
  if (!again.ok() || again->root().dump() != dump) std::abort();
  const auto index = forge::formats::read_safetensors_index(document->root(), "fuzz.json");
  if (!index.ok()) return 0;
  for (const auto& [tensor, file] : index->shard_of) {
    if (file.find('/') != std::string::npos) std::abort();
  }
  return 0;
}
