#include "forge/formats/gguf_writer.h"

#include <bit>
#include <unordered_set>

#include "forge/base/bytes.h"
#include "forge/base/utf8.h"
#include "forge/formats/output_file.h"
#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr uint32_t kMagic = 0x46554747;  // "GGUF", little-endian
constexpr uint32_t kDefaultAlignment = 32;
constexpr size_t kMaxNameBytes = 65535;

template <typename T>
void append(std::vector<std::byte>& out, T value) {
  const size_t at = out.size();
  out.resize(at + sizeof(T));
  store_le(out.data() + at, value);
}

void append(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_string(std::vector<std::byte>& out, std::string_view text) {
  append<uint64_t>(out, text.size());
  append(out, std::as_bytes(std::span(text)));
}

// Type, count: what stands before an array's elements.
std::vector<std::byte> array_head(GgufType type, uint64_t count) {
  std::vector<std::byte> head;
  append(head, static_cast<uint32_t>(type));
  append(head, count);
  return head;
}

Status check_name(const std::string& path, std::string_view what, const std::string& name,
                  std::unordered_set<std::string_view>& seen) {
  if (name.size() > kMaxNameBytes || find_invalid_utf8(name)) {
    return make_error("{}: {} {}: {} bytes, expected at most {} of valid UTF-8", path, what,
                      quote(name), name.size(), kMaxNameBytes);
  }
  if (!seen.insert(name).second) {
    return make_error("{}: {} {}: added twice, expected once", path, what, quote(name));
  }
  return {};
}

}  // namespace

template <typename T>
GgufWriter& GgufWriter::put_number(std::string_view key, GgufType type, T value) {
  Entry& entry = entries_.emplace_back(Entry{std::string(key), type, {}});
  append(entry.payload, value);
  return *this;
}

template <typename T>
GgufWriter& GgufWriter::put_numbers(std::string_view key, GgufType type,
                                    std::span<const T> values) {
  entries_.push_back({std::string(key), GgufType::kArray, array_head(type, values.size())});
  append(entries_.back().payload, std::as_bytes(values));
  return *this;
}

GgufWriter& GgufWriter::put_uint8(std::string_view key, uint8_t value) {
  return put_number(key, GgufType::kUint8, value);
}
GgufWriter& GgufWriter::put_int8(std::string_view key, int8_t value) {
  return put_number(key, GgufType::kInt8, value);
}
GgufWriter& GgufWriter::put_uint16(std::string_view key, uint16_t value) {
  return put_number(key, GgufType::kUint16, value);
}
GgufWriter& GgufWriter::put_int16(std::string_view key, int16_t value) {
  return put_number(key, GgufType::kInt16, value);
}
GgufWriter& GgufWriter::put_uint32(std::string_view key, uint32_t value) {
  return put_number(key, GgufType::kUint32, value);
}
GgufWriter& GgufWriter::put_int32(std::string_view key, int32_t value) {
  return put_number(key, GgufType::kInt32, value);
}
GgufWriter& GgufWriter::put_uint64(std::string_view key, uint64_t value) {
  return put_number(key, GgufType::kUint64, value);
}
GgufWriter& GgufWriter::put_int64(std::string_view key, int64_t value) {
  return put_number(key, GgufType::kInt64, value);
}
GgufWriter& GgufWriter::put_float32(std::string_view key, float value) {
  return put_number(key, GgufType::kFloat32, value);
}
GgufWriter& GgufWriter::put_float64(std::string_view key, double value) {
  return put_number(key, GgufType::kFloat64, value);
}
GgufWriter& GgufWriter::put_bool(std::string_view key, bool value) {
  return put_number(key, GgufType::kBool, static_cast<uint8_t>(value ? 1 : 0));
}

GgufWriter& GgufWriter::put_uint8s(std::string_view key, std::span<const uint8_t> values) {
  return put_numbers(key, GgufType::kUint8, values);
}
GgufWriter& GgufWriter::put_int8s(std::string_view key, std::span<const int8_t> values) {
  return put_numbers(key, GgufType::kInt8, values);
}
GgufWriter& GgufWriter::put_uint16s(std::string_view key, std::span<const uint16_t> values) {
  return put_numbers(key, GgufType::kUint16, values);
}
GgufWriter& GgufWriter::put_int16s(std::string_view key, std::span<const int16_t> values) {
  return put_numbers(key, GgufType::kInt16, values);
}
GgufWriter& GgufWriter::put_uint32s(std::string_view key, std::span<const uint32_t> values) {
  return put_numbers(key, GgufType::kUint32, values);
}
GgufWriter& GgufWriter::put_int32s(std::string_view key, std::span<const int32_t> values) {
  return put_numbers(key, GgufType::kInt32, values);
}
GgufWriter& GgufWriter::put_uint64s(std::string_view key, std::span<const uint64_t> values) {
  return put_numbers(key, GgufType::kUint64, values);
}
GgufWriter& GgufWriter::put_int64s(std::string_view key, std::span<const int64_t> values) {
  return put_numbers(key, GgufType::kInt64, values);
}
GgufWriter& GgufWriter::put_float32s(std::string_view key, std::span<const float> values) {
  return put_numbers(key, GgufType::kFloat32, values);
}
GgufWriter& GgufWriter::put_float64s(std::string_view key, std::span<const double> values) {
  return put_numbers(key, GgufType::kFloat64, values);
}
GgufWriter& GgufWriter::put_bools(std::string_view key, std::span<const bool> values) {
  static_assert(sizeof(bool) == 1, "a bool is written as its byte");
  return put_numbers(key, GgufType::kBool, values);
}

GgufWriter& GgufWriter::put_string(std::string_view key, std::string_view value) {
  Entry& entry = entries_.emplace_back(Entry{std::string(key), GgufType::kString, {}});
  append_string(entry.payload, value);
  return *this;
}

GgufWriter& GgufWriter::put_strings(std::string_view key, std::span<const std::string> values) {
  entries_.push_back(
      {std::string(key), GgufType::kArray, array_head(GgufType::kString, values.size())});
  for (const std::string& value : values) append_string(entries_.back().payload, value);
  return *this;
}

GgufWriter& GgufWriter::put_value(std::string_view key, const GgufValue& value) {
  if (value.type() == GgufType::kString) return put_string(key, value.as_string().value());
  Entry& entry = entries_.emplace_back(Entry{std::string(key), value.type(), {}});
  if (value.type() == GgufType::kArray) {
    entry.payload = array_head(value.element_type(), value.size());
  }
  append(entry.payload, value.payload());
  return *this;
}

void GgufWriter::add_tensor(std::string_view name, const TensorView& view) {
  tensors_.push_back({std::string(name), view});
}

Result<uint64_t> GgufWriter::checked_alignment(const std::string& path) const {
  for (const Entry& entry : entries_) {
    if (entry.key != kAlignmentKey) continue;
    if (entry.type == GgufType::kUint32) {
      const auto alignment = load_le<uint32_t>(entry.payload.data());
      if (std::has_single_bit(alignment)) return alignment;
    }
    return make_error("{}: key {}: expected a uint32 that is a power of two", path,
                      quote(kAlignmentKey));
  }
  return kDefaultAlignment;
}

Status GgufWriter::check_names(const std::string& path, uint32_t version) const {
  if (version != 2 && version != 3) {
    return make_error("{}: GGUF version {}, expected 2 or 3", path, version);
  }
  std::unordered_set<std::string_view> keys;
  for (const Entry& entry : entries_) FORGE_TRY_STATUS(check_name(path, "key", entry.key, keys));
  std::unordered_set<std::string_view> names;
  for (const Tensor& tensor : tensors_) {
    FORGE_TRY_STATUS(check_name(path, "tensor", tensor.name, names));
    if (tensor.view.shape.numel().value_or(0) == 0) {
      return make_error("{}: tensor {}: shape {}, expected data of at least one element", path,
                        quote(tensor.name), tensor.view.shape.to_string());
    }
  }
  return {};
}

Status GgufWriter::check(const std::string& path, uint32_t version) const {
  FORGE_TRY_STATUS(check_names(path, version));
  for (const Tensor& tensor : tensors_) {
    if (!tensor.view.is_missing()) continue;
    return make_error("{}: tensor {}: no data", path, quote(tensor.name));
  }
  return {};
}

Status GgufWriter::write(const std::string& path, uint32_t version) const {
  FORGE_TRY_STATUS(check(path, version));
  return write_part(path, version, entries_, tensors_);
}

Result<std::vector<std::byte>> GgufWriter::head(const std::string& origin, uint32_t version) const {
  FORGE_TRY_STATUS(check_names(origin, version));
  FORGE_TRY(const uint64_t alignment, checked_alignment(origin));
  return head_of(alignment, version, entries_, tensors_);
}

std::vector<std::byte> GgufWriter::head_of(uint64_t alignment, uint32_t version,
                                           std::span<const Entry> entries,
                                           std::span<const Tensor> tensors) {
  std::vector<std::byte> head;
  append(head, kMagic);
  append(head, version);
  append<uint64_t>(head, tensors.size());
  append<uint64_t>(head, entries.size());
  for (const Entry& entry : entries) {
    append_string(head, entry.key);
    append(head, static_cast<uint32_t>(entry.type));
    append(head, std::span<const std::byte>(entry.payload));
  }
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors) {
    const Shape& shape = tensor.view.shape;
    append_string(head, tensor.name);
    append(head, static_cast<uint32_t>(shape.rank()));
    for (int i = shape.rank(); i > 0; --i) append(head, static_cast<uint64_t>(shape[i - 1]));
    append(head, info(tensor.view.dtype).ggml_id);
    append(head, offset);
    const auto bytes = static_cast<uint64_t>(tensor.view.bytes());
    offset += (bytes + alignment - 1) / alignment * alignment;
  }
  while (head.size() % alignment != 0) head.push_back(std::byte{0});
  return head;
}

Status GgufWriter::write_part(const std::string& path, uint32_t version,
                              std::span<const Entry> entries,
                              std::span<const Tensor> tensors) const {
  FORGE_TRY(const uint64_t alignment, checked_alignment(path));
  FORGE_TRY(OutputFile file, OutputFile::create(path));
  file.write(head_of(alignment, version, entries, tensors));
  for (const Tensor& tensor : tensors) {
    file.write({tensor.view.data, static_cast<size_t>(tensor.view.bytes())});
    file.pad_to(alignment);
  }
  return file.commit();
}

}  // namespace forge::formats
