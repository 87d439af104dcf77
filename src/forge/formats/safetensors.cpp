#include "forge/formats/safetensors.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/mapped_file.h"
#include "forge/base/utf8.h"
#include "forge/formats/byte_cursor.h"
#include "forge/formats/quote.h"
#include "forge/formats/safetensors_dtype.h"

namespace forge::formats {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the original library's limit

// A tensor as the header describes it; the offsets count from the data.
struct HeaderEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  uint64_t begin = 0;
  uint64_t end = 0;
};

// "path: tensor "x"": the start of every message about a tensor.
std::string field_of(const std::string& path, std::string_view name) {
  return fmt::format("{}: tensor {}", path, quote(name));
}

// JSON text of a value, cut to a line.
std::string shown(const json::Value& value) {
  constexpr size_t kMaxBytes = 80;
  std::string text = value.dump();
  if (text.size() <= kMaxBytes) return text;
  text.resize(complete_utf8_prefix(std::string_view(text).substr(0, kMaxBytes)));
  return text + "...";
}

Status check_metadata(const std::string& path, const json::Value& metadata) {
  if (!metadata.is_object()) {
    return make_error("{}: __metadata__: found {}, expected an object", path, shown(metadata));
  }
  for (size_t i = 0; i < metadata.size(); ++i) {
    if (!metadata.member_at(i).is_string()) {
      return make_error("{}: __metadata__: {} is {}, expected a string", path,
                        quote(metadata.key_at(i)), shown(metadata.member_at(i)));
    }
  }
  return {};
}

Result<DType> read_dtype(const std::string& field, const json::Value& value) {
  const auto name = value.as_string();
  if (!name) return make_error("{}: dtype: found {}, expected a string", field, shown(value));
  if (const auto dtype = dtype_from_safetensors(*name)) return *dtype;
  return make_error("{}: dtype: found {}{}, expected F32, F16 or BF16", field, quote(*name),
                    is_safetensors_dtype(*name) ? "" : " (unknown to safetensors)");
}

Result<Shape> read_shape(const std::string& field, const json::Value& value) {
  if (!value.is_array()) {
    return make_error("{}: shape: found {}, expected an array", field, shown(value));
  }
  if (value.size() > Shape::kMaxRank) {
    return make_error("{}: shape: {} dimensions, expected at most {}", field, value.size(),
                      Shape::kMaxRank);
  }
  Shape shape;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto dim = value.at(i).as_int();
    if (!dim || *dim < 0) {
      return make_error("{}: shape: found {}, expected whole numbers", field, shown(value));
    }
    shape.push_back(*dim);
  }
  if (!shape.numel()) {
    return make_error("{}: shape: found {}, expected fewer than 2^63 elements", field,
                      shape.to_string());
  }
  return shape;
}

Status read_offsets(const std::string& field, const json::Value& value, uint64_t data_bytes,
                    HeaderEntry& entry) {
  const bool is_pair = value.is_array() && value.size() == 2;
  const auto begin = is_pair ? value.at(0).as_int() : std::nullopt;
  const auto end = is_pair ? value.at(1).as_int() : std::nullopt;
  if (!begin || !end || *begin < 0 || *end < *begin) {
    return make_error("{}: data_offsets: found {}, expected [begin, end] with begin <= end", field,
                      shown(value));
  }
  entry.begin = static_cast<uint64_t>(*begin);
  entry.end = static_cast<uint64_t>(*end);
  if (entry.end > data_bytes) {
    return make_error("{}: data_offsets: found {}, expected an end within the {} bytes of data",
                      field, shown(value), data_bytes);
  }
  const auto bytes = row_bytes(entry.dtype, entry.shape.numel().value_or(-1));
  if (!bytes || static_cast<uint64_t>(*bytes) != entry.end - entry.begin) {
    return make_error("{}: data_offsets: found {} bytes, expected {} for shape {} of {}", field,
                      entry.end - entry.begin,
                      bytes ? fmt::format("{}", *bytes) : "fewer than 2^63",
                      entry.shape.to_string(), name(entry.dtype));
  }
  return {};
}

Result<HeaderEntry> read_entry(const std::string& path, std::string_view name,
                               const json::Value& value, uint64_t data_bytes) {
  const std::string field = field_of(path, name);
  if (!value.is_object()) {
    return make_error("{}: found {}, expected an object", field, shown(value));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string_view key = value.key_at(i);
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      return make_error("{}: member {}, expected dtype, shape and data_offsets only", field,
                        quote(key));
    }
  }
  for (const std::string_view key : {"dtype", "shape", "data_offsets"}) {
    if (value.find(key).is_missing()) return make_error("{}: no {}, expected one", field, key);
  }
  if (value.size() != 3) {
    return make_error("{}: {} members, expected each of dtype, shape and data_offsets once", field,
                      value.size());
  }
  HeaderEntry entry;
  entry.name = std::string(name);
  FORGE_TRY(entry.dtype, read_dtype(field, value.find("dtype")));
  FORGE_TRY(entry.shape, read_shape(field, value.find("shape")));
  FORGE_TRY_STATUS(read_offsets(field, value.find("data_offsets"), data_bytes, entry));
  return entry;
}

// Sorts by position and makes sure that each byte of the data belongs to one tensor.
Status check_coverage(const std::string& path, uint64_t data_bytes,
                      std::vector<HeaderEntry>& entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const HeaderEntry& entry : entries) {
    if (entry.begin != covered) {
      return make_error("{}: data_offsets: begin {}, expected {}: {}", field_of(path, entry.name),
                        entry.begin, covered,
                        entry.begin < covered ? "overlaps the tensor before it"
                                              : "bytes that no tensor owns lie before it");
    }
    covered = entry.end;
  }
  if (covered != data_bytes) {
    return make_error("{}: tensors end at byte {} of the data, expected its end at {}", path,
                      covered, data_bytes);
  }
  return {};
}

Result<std::vector<HeaderEntry>> read_entries(const std::string& path, std::string_view header,
                                              uint64_t data_bytes) {
  if (!header.starts_with('{')) {
    return make_error("{}: header: found {} at byte 8, expected \"{{\"", path,
                      quote(header.substr(0, 1)));
  }
  FORGE_TRY(const auto document, json::Document::parse(header, path + ": header"));
  const json::Value root = document.root();
  bool has_metadata = false;
  std::vector<HeaderEntry> entries;
  for (size_t i = 0; i < root.size(); ++i) {
    if (root.key_at(i) == "__metadata__") {
      if (std::exchange(has_metadata, true)) {
        return make_error("{}: __metadata__: found twice, expected once", path);
      }
      FORGE_TRY_STATUS(check_metadata(path, root.member_at(i)));
      continue;
    }
    FORGE_TRY(auto entry, read_entry(path, root.key_at(i), root.member_at(i), data_bytes));
    entries.push_back(std::move(entry));
  }
  FORGE_TRY_STATUS(check_coverage(path, data_bytes, entries));
  return entries;
}

}  // namespace

Result<TensorSet> parse_safetensors(std::span<const std::byte> bytes, const std::string& origin) {
  ByteCursor cursor(bytes);
  const auto header_bytes = cursor.try_read<uint64_t>();
  if (!header_bytes) {
    return make_error("{}: header length: {} bytes in the file, expected 8 or more", origin,
                      bytes.size());
  }
  if (*header_bytes > kMaxHeaderBytes || *header_bytes > cursor.remaining()) {
    return make_error("{}: header length: found {}, expected at most {} (byte 0)", origin,
                      *header_bytes, std::min(kMaxHeaderBytes, cursor.remaining()));
  }
  const auto header = cursor.try_take(*header_bytes).value();
  const auto data = cursor.try_take(cursor.remaining()).value();
  FORGE_TRY(auto entries, read_entries(origin, text_of(header), data.size()));
  TensorSet tensors;
  for (HeaderEntry& entry : entries) {
    const TensorView view{entry.dtype, entry.shape, data.data() + entry.begin};
    const std::string field = field_of(origin, entry.name);
    if (!tensors.add({std::move(entry.name), view, origin})) {
      return make_error("{}: found twice, expected once", field);
    }
  }
  return tensors;
}

Result<TensorSet> open_safetensors(const std::string& path) {
  FORGE_TRY(MappedFile mapping, MappedFile::open(path));
  FORGE_TRY(TensorSet tensors, parse_safetensors(mapping.bytes(), path));
  tensors.add_mapping(std::move(mapping));
  return tensors;
}

}  // namespace forge::formats
