#include "forge/base/json.h"

#include <cmath>

#include "forge/base/check.h"
#include "forge/base/rapidjson_headers.h"

namespace forge::json {
namespace {

const rapidjson::Value& node_of(const void* node) {
  return *static_cast<const rapidjson::Value*>(node);
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

}  // namespace

bool Value::is_null() const { return node_ != nullptr && node_of(node_).IsNull(); }
bool Value::is_object() const { return node_ != nullptr && node_of(node_).IsObject(); }
bool Value::is_array() const { return node_ != nullptr && node_of(node_).IsArray(); }
bool Value::is_string() const { return node_ != nullptr && node_of(node_).IsString(); }
bool Value::is_number() const { return node_ != nullptr && node_of(node_).IsNumber(); }

Kind Value::kind() const {
  FORGE_CHECK(node_ != nullptr, "kind() of a missing value");
  switch (node_of(node_).GetType()) {
    case rapidjson::kNullType:
      return Kind::kNull;
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return Kind::kBool;
    case rapidjson::kNumberType:
      return Kind::kNumber;
    case rapidjson::kStringType:
      return Kind::kString;
    case rapidjson::kArrayType:
      return Kind::kArray;
    case rapidjson::kObjectType:
      return Kind::kObject;
  }
  return Kind::kNull;
}

std::optional<bool> Value::as_bool() const {
  if (node_ == nullptr || !node_of(node_).IsBool()) return std::nullopt;
  return node_of(node_).GetBool();
}

std::optional<int64_t> Value::as_int() const {
  if (node_ == nullptr) return std::nullopt;
  const rapidjson::Value& value = node_of(node_);
  if (value.IsInt64()) return value.GetInt64();
  // Writers in other languages give whole numbers as 1e6 or 10000.0.
  if (value.IsDouble() && std::trunc(value.GetDouble()) == value.GetDouble() &&
      std::abs(value.GetDouble()) < 0x1p53) {
    return static_cast<int64_t>(value.GetDouble());
  }
  return std::nullopt;
}

std::optional<double> Value::as_double() const {
  if (!is_number()) return std::nullopt;
  return node_of(node_).GetDouble();
}

std::optional<std::string_view> Value::as_string() const {
  if (!is_string()) return std::nullopt;
  return text_of(node_of(node_));
}

size_t Value::size() const {
  if (is_array()) return node_of(node_).Size();
  if (is_object()) return node_of(node_).MemberCount();
  return 0;
}

Value Value::at(size_t i) const {
  FORGE_CHECK(is_array() && i < size(), "element {} of {}", i, size());
  return Value(&node_of(node_)[static_cast<rapidjson::SizeType>(i)]);
}

Value Value::find(std::string_view key) const {
  if (!is_object()) return {};
  for (const auto& member : node_of(node_).GetObject()) {
    if (text_of(member.name) == key) return Value(&member.value);
  }
  return {};
}

std::string_view Value::key_at(size_t i) const {
  FORGE_CHECK(is_object() && i < size(), "member {} of {}", i, size());
  return text_of((node_of(node_).MemberBegin() + static_cast<std::ptrdiff_t>(i))->name);
}

Value Value::member_at(size_t i) const {
  FORGE_CHECK(is_object() && i < size(), "member {} of {}", i, size());
  return Value(&(node_of(node_).MemberBegin() + static_cast<std::ptrdiff_t>(i))->value);
}

std::string Value::dump() const {
  if (node_ == nullptr) return "(missing)";
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  node_of(node_).Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace forge::json
