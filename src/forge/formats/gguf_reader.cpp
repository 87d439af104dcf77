#include "forge/formats/gguf_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>

#include "forge/base/bytes.h"
#include "forge/base/utf8.h"
#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

constexpr uint64_t kMaxNameBytes = 65535;   // the specification's limit for keys
constexpr uint64_t kDefaultAlignment = 32;  // the specification's, where no key gives another
// The smallest entries the format can express: what a count is compared with.
constexpr uint64_t kMinKeyBytes = 8 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 4 + 4 + 8;

// What a file with other first bytes is, where that is known.
std::string_view foreign_format(std::string_view start) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKnown{{
      {"lmgg", " (a GGML file from before GGUF)"},
      {"fmgg", " (a GGMF file from before GGUF)"},
      {"tjgg", " (a GGJT file from before GGUF)"},
      {"algg", " (a GGLA adapter file)"},
      {"FUGG", " (a big-endian GGUF)"},
      {"PK\x03\x04", " (a zip archive, perhaps a PyTorch checkpoint)"},
      {"vers", " (perhaps a Git LFS pointer: fetch the file itself)"},
      {"\x1f\x8b", " (a gzip file: unpack it)"},
  }};
  for (const auto& [magic, what] : kKnown) {
    if (start.starts_with(magic)) return what;
  }
  return {};
}

}  // namespace

template <typename... Args>
Error GgufReader::error_at(uint64_t offset, fmt::format_string<Args...> format,
                           Args&&... args) const {
  return make_error("{}: {} (byte {})", file_.path_,
                    fmt::format(format, std::forward<Args>(args)...), offset);
}

template <typename T>
Result<T> GgufReader::read_number(std::string_view field) {
  if (const auto value = cursor_.try_read<T>()) return *value;
  return error_at(cursor_.offset(), "{}: {} bytes left in the file, expected {}", field,
                  cursor_.remaining(), sizeof(T));
}

GgufReader::GgufReader(std::span<const std::byte> bytes, const std::string& path)
    : bytes_(bytes), cursor_(bytes) {
  file_.path_ = path;
}

Result<GgufFile> GgufReader::read(std::span<const std::byte> bytes, const std::string& path) {
  GgufReader reader(bytes, path);
  FORGE_TRY_STATUS(reader.read_header());
  FORGE_TRY_STATUS(reader.read_metadata());
  FORGE_TRY_STATUS(reader.read_tensor_table());
  FORGE_TRY_STATUS(reader.place_tensors());
  return std::move(reader.file_);
}

Status GgufReader::read_header() {
  const auto magic = cursor_.try_take(4);
  if (!magic || text_of(*magic) != "GGUF") {
    const std::string_view start = text_of(bytes_.first(std::min<size_t>(bytes_.size(), 4)));
    return error_at(0, "magic: found {}{}, expected \"GGUF\"", quote(start), foreign_format(start));
  }
  FORGE_TRY(const auto version, read_number<uint32_t>("version"));
  if (version == 1) {
    return error_at(4, "version: found 1 (32-bit lengths), expected 2 or 3: convert the file anew");
  }
  if (version != 0 && (version & 0xFFFFu) == 0) {
    return error_at(4,
                    "version: found {} with its bytes reversed, expected little-endian: the file "
                    "is big-endian",
                    __builtin_bswap32(version));
  }
  if (version != 2 && version != 3) {
    return error_at(4, "version: found {}, expected 2 or 3", version);
  }
  file_.version_ = version;
  FORGE_TRY(n_tensors_, read_number<uint64_t>("tensor count"));
  FORGE_TRY(n_keys_, read_number<uint64_t>("metadata count"));
  if (n_tensors_ > cursor_.remaining() / kMinTensorBytes) {
    return error_at(8, "tensor count: found {}, expected at most {} in the {} bytes left",
                    n_tensors_, cursor_.remaining() / kMinTensorBytes, cursor_.remaining());
  }
  if (n_keys_ > cursor_.remaining() / kMinKeyBytes) {
    return error_at(16, "metadata count: found {}, expected at most {} in the {} bytes left",
                    n_keys_, cursor_.remaining() / kMinKeyBytes, cursor_.remaining());
  }
  return {};
}

Status GgufReader::read_metadata() {
  for (uint64_t i = 0; i < n_keys_; ++i) {
    const uint64_t offset = cursor_.offset();
    FORGE_TRY(const auto key, read_name(fmt::format("key {} of {}", i + 1, n_keys_)));
    FORGE_TRY(const GgufValue value, read_value(key));
    if (!file_.metadata_.try_emplace(std::string(key), value).second) {
      return error_at(offset, "key {}: found twice, expected once", quote(key));
    }
  }
  return {};
}

Result<std::string_view> GgufReader::read_name(const std::string& field) {
  const uint64_t offset = cursor_.offset();
  FORGE_TRY(const auto length, read_number<uint64_t>(field));
  if (length > kMaxNameBytes) {
    return error_at(offset, "{}: length {}, expected at most {}", field, length, kMaxNameBytes);
  }
  const auto bytes = cursor_.try_take(length);
  if (!bytes) {
    return error_at(offset, "{}: length {}, expected at most the {} bytes left in the file", field,
                    length, cursor_.remaining());
  }
  if (const auto bad = find_invalid_utf8(text_of(*bytes))) {
    return error_at(offset + 8 + *bad, "{}: found {}, expected valid UTF-8", field,
                    quote(text_of(*bytes)));
  }
  return text_of(*bytes);
}

Result<GgufValue> GgufReader::read_value(std::string_view key) {
  const uint64_t offset = cursor_.offset();
  const std::string field = "key " + quote(key);
  FORGE_TRY(const auto id, read_number<uint32_t>(field));
  const auto type = gguf_type_from_id(id);
  if (!type) return error_at(offset, "{}: value type {}, expected 0 to 12", field, id);
  if (*type == GgufType::kArray) return read_array(key);

  GgufValue value;
  value.type_ = value.element_type_ = *type;
  value.count_ = 1;
  const uint64_t value_offset = cursor_.offset();
  uint64_t length = gguf_type_bytes(*type);
  if (*type == GgufType::kString) {
    FORGE_TRY(length, read_number<uint64_t>(field));
  }
  const auto bytes = cursor_.try_take(length);
  if (!bytes) {
    return error_at(value_offset, "{}: {} of {} bytes, expected at most the {} left in the file",
                    field, name(*type), length, cursor_.remaining());
  }
  value.bytes_ = *bytes;
  if (*type == GgufType::kBool) FORGE_TRY_STATUS(check_bools(key, *bytes, value_offset));
  return value;
}

Result<GgufValue> GgufReader::read_array(std::string_view key) {
  const uint64_t offset = cursor_.offset();
  const std::string field = "key " + quote(key);
  FORGE_TRY(const auto id, read_number<uint32_t>(field));
  const auto type = gguf_type_from_id(id);
  if (!type) return error_at(offset, "{}: element type {}, expected 0 to 12", field, id);
  if (*type == GgufType::kArray) {
    return error_at(offset, "{}: found an array of arrays, expected numbers, bools or strings",
                    field);
  }
  FORGE_TRY(const auto count, read_number<uint64_t>(field));
  // A string needs at least the 8 bytes of its length.
  const uint64_t width = *type == GgufType::kString ? 8 : gguf_type_bytes(*type);
  if (count > cursor_.remaining() / width) {
    return error_at(offset + 4, "{}: {} elements of {}, expected at most {} in the {} bytes left",
                    field, count, name(*type), cursor_.remaining() / width, cursor_.remaining());
  }
  GgufValue value;
  value.type_ = GgufType::kArray;
  value.element_type_ = *type;
  value.count_ = count;
  const uint64_t begin = cursor_.offset();
  if (*type == GgufType::kString) {
    FORGE_TRY_STATUS(skip_strings(key, count));
  } else {
    (void)cursor_.try_take(count * width);  // fits: count was compared with what is left
  }
  value.bytes_ = bytes_.subspan(begin, cursor_.offset() - begin);
  if (*type == GgufType::kBool) FORGE_TRY_STATUS(check_bools(key, value.bytes_, begin));
  return value;
}

Status GgufReader::skip_strings(std::string_view key, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t offset = cursor_.offset();
    const auto length = cursor_.try_read<uint64_t>();
    if (!length || !cursor_.try_take(*length)) {
      return error_at(offset, "key {}: string {} of {}: {} bytes, expected at most the {} left",
                      quote(key), i + 1, count, length.value_or(8), cursor_.remaining());
    }
  }
  return {};
}

Status GgufReader::check_bools(std::string_view key, std::span<const std::byte> values,
                               uint64_t offset) const {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] > std::byte{1}) {
      return error_at(offset + i, "key {}: bool {}, expected 0 or 1", quote(key),
                      std::to_integer<int>(values[i]));
    }
  }
  return {};
}

Status GgufReader::read_tensor_table() {
  for (uint64_t i = 0; i < n_tensors_; ++i) FORGE_TRY_STATUS(read_tensor(i));
  return {};
}

Result<Shape> GgufReader::read_shape(const std::string& field) {
  const uint64_t offset = cursor_.offset();
  FORGE_TRY(const auto rank, read_number<uint32_t>(field));
  if (rank > Shape::kMaxRank) {
    return error_at(offset, "{}: {} dimensions, expected at most {}", field, rank, Shape::kMaxRank);
  }
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (uint32_t i = 0; i < rank; ++i) {
    const uint64_t dim_offset = cursor_.offset();
    FORGE_TRY(const auto dim, read_number<uint64_t>(field));
    if (dim == 0 || !std::in_range<int64_t>(dim)) {
      return error_at(dim_offset, "{}: dimension {} is {}, expected 1 to {}", field, i, dim,
                      std::numeric_limits<int64_t>::max());
    }
    dims[i] = static_cast<int64_t>(dim);
  }
  Shape shape;
  for (uint32_t i = rank; i > 0; --i) shape.push_back(dims[i - 1]);
  if (!shape.numel()) {
    return error_at(offset, "{}: shape {}, expected fewer than 2^63 elements", field,
                    shape.to_string());
  }
  return shape;
}

Status GgufReader::read_tensor(uint64_t index) {
  const uint64_t name_offset = cursor_.offset();
  FORGE_TRY(const auto name_view,
            read_name(fmt::format("tensor {} of {}: name", index + 1, n_tensors_)));
  const std::string field = "tensor " + quote(name_view);
  FORGE_TRY(const Shape shape, read_shape(field));
  const uint64_t type_offset = cursor_.offset();
  FORGE_TRY(const auto id, read_number<uint32_t>(field));
  const auto dtype = dtype_from_ggml_id(id);
  if (!dtype) {
    const std::string_view known = ggml_type_name(id);
    return error_at(type_offset, "{}: type {} ({}), expected a type that Forge reads", field, id,
                    known.empty() ? "unknown to ggml" : known);
  }
  const auto row = row_bytes(*dtype, shape.columns());
  if (!row) {
    return error_at(type_offset, "{}: rows of {} elements, expected a multiple of {} for {}", field,
                    shape.columns(), info(*dtype).block_len, name(*dtype));
  }
  const auto bytes = checked_mul(static_cast<uint64_t>(shape.rows()), static_cast<uint64_t>(*row));
  if (!bytes || !std::in_range<int64_t>(*bytes)) {
    return error_at(type_offset, "{}: shape {} of {}, expected fewer than 2^63 bytes", field,
                    shape.to_string(), name(*dtype));
  }
  const uint64_t field_offset = cursor_.offset();
  FORGE_TRY(const auto offset, read_number<uint64_t>(field));
  // The data pointer follows in place_tensors(): the table's end is not known yet.
  tensors_.push_back({std::string(name_view), {*dtype, shape, nullptr}, file_.path_});
  extents_.push_back({offset, *bytes, name_offset, field_offset, field});
  return {};
}

Result<uint64_t> GgufReader::read_alignment() const {
  const GgufValue* value = file_.find("general.alignment");
  if (value == nullptr) return kDefaultAlignment;
  const auto alignment = value->as_int();
  if (!alignment || *alignment <= 0 || !std::has_single_bit(static_cast<uint64_t>(*alignment))) {
    return make_error("{}: key \"general.alignment\": found {}, expected a power of two",
                      file_.path_, value->to_string());
  }
  return static_cast<uint64_t>(*alignment);
}

Status GgufReader::place_tensors() {
  FORGE_TRY(const uint64_t alignment, read_alignment());
  if (n_tensors_ == 0) return {};
  const auto padded = checked_add(cursor_.offset(), alignment - 1);
  const uint64_t data_begin = padded ? *padded / alignment * alignment : 0;
  if (!padded || data_begin > bytes_.size()) {
    return error_at(cursor_.offset(), "tensor data: {} bytes left, expected padding to {}",
                    cursor_.remaining(), alignment);
  }
  const uint64_t data_bytes = bytes_.size() - data_begin;
  for (size_t i = 0; i < extents_.size(); ++i) {
    const Extent& extent = extents_[i];
    if (extent.offset % alignment != 0) {
      return error_at(extent.field_offset, "{}: offset {}, expected a multiple of {}", extent.name,
                      extent.offset, alignment);
    }
    if (extent.offset > data_bytes || extent.bytes > data_bytes - extent.offset) {
      return error_at(extent.field_offset,
                      "{}: {} bytes at offset {} of the tensor data, expected to end within its {}",
                      extent.name, extent.bytes, extent.offset, data_bytes);
    }
    tensors_[i].view.data = bytes_.data() + data_begin + extent.offset;
  }
  std::vector<size_t> order(extents_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return extents_[a].offset < extents_[b].offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    const Extent& before = extents_[order[i - 1]];
    const Extent& extent = extents_[order[i]];
    if (extent.offset < before.offset + before.bytes) {
      return error_at(extent.field_offset, "{}: offset {} overlaps {}, expected {} or more",
                      extent.name, extent.offset, before.name, before.offset + before.bytes);
    }
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!file_.tensors_.add(std::move(tensors_[i]))) {
      return error_at(extents_[i].name_offset, "{}: found twice, expected once", extents_[i].name);
    }
  }
  return {};
}

}  // namespace forge::formats
