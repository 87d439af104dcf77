#include "forge/text/load/json_fields.h"

#include <fmt/format.h>

namespace forge::text {

std::string_view kind_name(json::Value value) {
  if (value.is_missing()) return "nothing";
  switch (value.kind()) {
    case json::Kind::kNull:
      return "null";
    case json::Kind::kBool:
      return "a boolean";
    case json::Kind::kNumber:
      return "a number";
    case json::Kind::kString:
      return "a string";
    case json::Kind::kArray:
      return "an array";
    case json::Kind::kObject:
      return "an object";
  }
  return "something else";
}

std::string JsonObject::path_of(std::string_view key) const {
  return fmt::format("{}{}{}", where, where.ends_with(':') ? " " : ".", key);
}

Error JsonObject::unexpected(std::string_view key, std::string_view expected) const {
  return make_error("{}: {}, expected {}", path_of(key), kind_name(value.find(key)), expected);
}

JsonObject JsonObject::element(std::string_view key, json::Value array, size_t i) const {
  return {array.at(i), fmt::format("{}[{}]", path_of(key), i)};
}

Result<JsonObject> JsonObject::object(std::string_view key) const {
  const json::Value member = value.find(key);
  if (!member.is_object()) return unexpected(key, "an object");
  return JsonObject{member, path_of(key)};
}

Result<json::Value> JsonObject::array(std::string_view key) const {
  const json::Value member = value.find(key);
  if (!member.is_array()) return unexpected(key, "an array");
  return member;
}

Result<std::string_view> JsonObject::string(std::string_view key) const {
  const auto text = value.find(key).as_string();
  if (!text) return unexpected(key, "a string");
  return *text;
}

Result<bool> JsonObject::boolean(std::string_view key, std::optional<bool> fallback) const {
  const json::Value member = value.find(key);
  if (member.is_missing() && fallback) return *fallback;
  const auto flag = member.as_bool();
  if (!flag) return unexpected(key, "a boolean");
  return *flag;
}

Result<int32_t> JsonObject::index(std::string_view key, int32_t max) const {
  const json::Value member = value.find(key);
  const auto number = member.as_int();
  if (!number) return unexpected(key, "a whole number");
  if (*number < 0 || *number > max) {
    return make_error("{}: {}, expected 0 to {}", path_of(key), *number, max);
  }
  return static_cast<int32_t>(*number);
}

Result<std::optional<std::string>> JsonObject::optional_string(std::string_view key) const {
  const json::Value member = value.find(key);
  if (member.is_missing() || member.is_null()) return std::optional<std::string>();
  const auto text = member.as_string();
  if (!text) return unexpected(key, "a string or null");
  return std::optional<std::string>(std::string(*text));
}

Result<std::optional<bool>> JsonObject::optional_boolean(std::string_view key) const {
  const json::Value member = value.find(key);
  if (member.is_missing() || member.is_null()) return std::optional<bool>();
  const auto flag = member.as_bool();
  if (!flag) return unexpected(key, "a boolean or null");
  return std::optional<bool>(*flag);
}

}  // namespace forge::text
