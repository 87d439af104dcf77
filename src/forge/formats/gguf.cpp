#include "forge/formats/gguf.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "forge/base/mapped_file.h"
#include "forge/formats/gguf_part_name.h"
#include "forge/formats/gguf_reader.h"
#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

constexpr std::string_view kSplitNumber = "split.no";  // counts from 0
constexpr std::string_view kSplitCount = "split.count";
constexpr std::string_view kSplitTensors = "split.tensors.count";  // of all parts together

// Fails unless the key holds this number.
Status expect_number(const GgufFile& file, std::string_view key, int64_t expected) {
  const GgufValue* value = file.find(key);
  if (value != nullptr && value->as_int() == expected) return {};
  return make_error("{}: key {}: found {}, expected {}", file.path(), quote(key),
                    value == nullptr ? "no such key" : value->to_string(), expected);
}

// A file that is not opened as a part must be whole.
Status expect_whole(const GgufFile& file) {
  const GgufValue* count = file.find(kSplitCount);
  if (count == nullptr || count->as_int() == 0 || count->as_int() == 1) return {};
  return make_error(
      "{}: key \"split.count\": found {}, expected 1: the file is part of a split model "
      "and is opened by the name PREFIX-00001-of-000NN.gguf of its first part",
      file.path(), count->to_string());
}

bool same_value(const GgufValue& a, const GgufValue& b) {
  return a.type() == b.type() && a.element_type() == b.element_type() && a.size() == b.size() &&
         std::equal(a.payload().begin(), a.payload().end(), b.payload().begin(), b.payload().end());
}

// Keys that each part has for itself.
bool is_own_key(std::string_view key) {
  return key.starts_with("split.") || key == "general.alignment";
}

}  // namespace

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, const std::string& origin) {
  FORGE_TRY(GgufFile file, GgufReader::read(bytes, origin));
  FORGE_TRY_STATUS(expect_whole(file));
  return file;
}

Result<GgufFile> GgufFile::open_part(const std::string& path) {
  FORGE_TRY(MappedFile mapping, MappedFile::open(path));
  FORGE_TRY(GgufFile file, GgufReader::read(mapping.bytes(), path));
  file.tensors_.add_mapping(std::move(mapping));
  return file;
}

Result<GgufFile> GgufFile::open(const std::string& path) {
  auto part = parse_gguf_part_name(path);
  if (!part) {
    FORGE_TRY(GgufFile file, open_part(path));
    FORGE_TRY_STATUS(expect_whole(file));
    return file;
  }
  if (part->number != 1) {
    const int32_t number = std::exchange(part->number, 1);
    return make_error("{}: part {} of {}, expected the first part: {}", path, number, part->count,
                      part->to_string());
  }
  FORGE_TRY(GgufFile file, open_part(path));
  if (part->count == 1 && file.find(kSplitCount) == nullptr) return file;
  for (int32_t i = 0; i < part->count; ++i) {
    part->number = i + 1;
    const std::string part_path = part->to_string();
    std::optional<GgufFile> later;
    if (i > 0) {
      auto opened = open_part(part_path);
      if (!opened.ok()) {
        return make_error("{}: part {} of {}: {}", path, i + 1, part->count,
                          opened.error().message);
      }
      later = std::move(opened).value();
    }
    const GgufFile& current = later ? *later : file;
    FORGE_TRY_STATUS(expect_number(current, kSplitNumber, i));
    FORGE_TRY_STATUS(expect_number(current, kSplitCount, part->count));
    if (later) FORGE_TRY_STATUS(file.absorb(std::move(*later)));
  }
  const auto n_tensors = static_cast<int64_t>(file.tensors_.tensors().size());
  FORGE_TRY_STATUS(expect_number(file, kSplitTensors, n_tensors));
  return file;
}

Status GgufFile::absorb(GgufFile part) {
  for (const auto& [key, value] : part.metadata_) {
    if (is_own_key(key)) continue;
    const auto [mine, is_new] = metadata_.try_emplace(key, value);
    if (!is_new && !same_value(mine->second, value)) {
      return make_error("{}: key {}: found {}, expected {} as in {}", part.path_, quote(key),
                        value.to_string(), mine->second.to_string(), path_);
    }
  }
  return tensors_.absorb(std::move(part.tensors_));
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

}  // namespace forge::formats
