#include "forge/formats/gguf_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "forge/base/bytes.h"
#include "forge/formats/byte_cursor.h"
#include "forge/formats/quote.h"

namespace forge::formats {
namespace {

struct TypeInfo {
  std::string_view name;
  uint64_t bytes;
};

// In the order of the file's numbers.
constexpr std::array<TypeInfo, 13> kTypes{{{"uint8", 1},
                                           {"int8", 1},
                                           {"uint16", 2},
                                           {"int16", 2},
                                           {"uint32", 4},
                                           {"int32", 4},
                                           {"float32", 4},
                                           {"bool", 1},
                                           {"string", 0},
                                           {"array", 0},
                                           {"uint64", 8},
                                           {"int64", 8},
                                           {"float64", 8}}};

// An element of a numeric type as int64 where it is an integer that fits, else nothing.
std::optional<int64_t> load_int(GgufType type, const std::byte* address) {
  switch (type) {
    case GgufType::kUint8:
      return load_le<uint8_t>(address);
    case GgufType::kInt8:
      return load_le<int8_t>(address);
    case GgufType::kUint16:
      return load_le<uint16_t>(address);
    case GgufType::kInt16:
      return load_le<int16_t>(address);
    case GgufType::kUint32:
      return load_le<uint32_t>(address);
    case GgufType::kInt32:
      return load_le<int32_t>(address);
    case GgufType::kInt64:
      return load_le<int64_t>(address);
    case GgufType::kUint64: {
      const auto value = load_le<uint64_t>(address);
      if (!std::in_range<int64_t>(value)) return std::nullopt;
      return static_cast<int64_t>(value);
    }
    case GgufType::kFloat32:
    case GgufType::kFloat64:
    case GgufType::kBool:
    case GgufType::kString:
    case GgufType::kArray:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<double> load_double(GgufType type, const std::byte* address) {
  if (type == GgufType::kFloat32) return static_cast<double>(load_le<float>(address));
  if (type == GgufType::kFloat64) return load_le<double>(address);
  if (type == GgufType::kUint64) return static_cast<double>(load_le<uint64_t>(address));
  const auto value = load_int(type, address);
  if (!value) return std::nullopt;
  return static_cast<double>(*value);
}

// One number, bool or string as people read it.
std::string describe(GgufType type, std::span<const std::byte> bytes) {
  if (type == GgufType::kString) return quote(text_of(bytes));
  if (type == GgufType::kBool) return load_le<uint8_t>(bytes.data()) != 0 ? "true" : "false";
  if (type == GgufType::kUint64) return fmt::format("{}", load_le<uint64_t>(bytes.data()));
  if (type == GgufType::kFloat32) return fmt::format("{}", load_le<float>(bytes.data()));
  if (type == GgufType::kFloat64) return fmt::format("{}", load_le<double>(bytes.data()));
  return fmt::format("{}", load_int(type, bytes.data()).value_or(0));
}

// The elements of a numeric array, each through load; nothing where one does not fit.
template <typename T, typename Load>
std::optional<std::vector<T>> load_all(const GgufValue& array, Load load) {
  const uint64_t width = gguf_type_bytes(array.element_type());
  if (array.type() != GgufType::kArray || width == 0) return std::nullopt;
  std::vector<T> values;
  values.reserve(static_cast<size_t>(array.size()));
  for (uint64_t i = 0; i < array.size(); ++i) {
    const auto value = load(array.element_type(), array.payload().data() + i * width);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

std::optional<GgufType> gguf_type_from_id(uint32_t id) {
  if (id >= kTypes.size()) return std::nullopt;
  return static_cast<GgufType>(id);
}

std::string_view name(GgufType type) { return kTypes[static_cast<size_t>(type)].name; }

uint64_t gguf_type_bytes(GgufType type) { return kTypes[static_cast<size_t>(type)].bytes; }

std::optional<int64_t> GgufValue::as_int() const {
  if (gguf_type_bytes(type_) == 0 || count_ == 0) return std::nullopt;
  return load_int(type_, bytes_.data());
}

std::optional<double> GgufValue::as_double() const {
  if (gguf_type_bytes(type_) == 0 || count_ == 0) return std::nullopt;
  return load_double(type_, bytes_.data());
}

std::optional<bool> GgufValue::as_bool() const {
  if (type_ != GgufType::kBool) return std::nullopt;
  return load_le<uint8_t>(bytes_.data()) != 0;
}

std::optional<std::string_view> GgufValue::as_string() const {
  if (type_ != GgufType::kString) return std::nullopt;
  return text_of(bytes_);
}

std::optional<std::vector<std::string_view>> GgufValue::as_strings() const {
  if (type_ != GgufType::kArray || element_type_ != GgufType::kString) return std::nullopt;
  std::vector<std::string_view> strings;
  strings.reserve(static_cast<size_t>(count_));
  ByteCursor cursor(bytes_);
  for (uint64_t i = 0; i < count_; ++i) {
    // The reader has walked the same lengths, so neither step can fail.
    const uint64_t length = cursor.try_read<uint64_t>().value();
    strings.push_back(text_of(cursor.try_take(length).value()));
  }
  return strings;
}

std::optional<std::vector<int64_t>> GgufValue::as_ints() const {
  return load_all<int64_t>(*this, load_int);
}

std::optional<std::vector<double>> GgufValue::as_doubles() const {
  return load_all<double>(*this, load_double);
}

std::optional<std::vector<bool>> GgufValue::as_bools() const {
  return load_all<bool>(*this, [](GgufType type, const std::byte* address) -> std::optional<bool> {
    if (type != GgufType::kBool) return std::nullopt;
    return load_le<uint8_t>(address) != 0;
  });
}

std::string GgufValue::to_string() const {
  if (count_ == 0 && type_ != GgufType::kArray) return "(none)";
  if (type_ != GgufType::kArray) return describe(type_, bytes_);
  constexpr uint64_t kShown = 4;
  std::string text = fmt::format("{}[{}] [", name(element_type_), count_);
  ByteCursor cursor(bytes_);
  for (uint64_t i = 0; i < std::min(count_, kShown); ++i) {
    uint64_t length = gguf_type_bytes(element_type_);
    if (element_type_ == GgufType::kString) length = cursor.try_read<uint64_t>().value();
    text += (i == 0 ? "" : ", ") + describe(element_type_, cursor.try_take(length).value());
  }
  return text + (count_ > kShown ? ", ...]" : "]");
}

}  // namespace forge::formats
