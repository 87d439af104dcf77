#include "forge/models/config_value.h"

#include <algorithm>
#include <utility>

#include "forge/formats/quote.h"

namespace forge::models {
namespace {

constexpr size_t kShownLength = 100;  // of a value in an error: one line stays one line

std::string shorten(std::string text) {
  if (text.size() <= kShownLength) return text;
  return text.substr(0, kShownLength) + "...";
}

ConfigValue make_int(int64_t integer) {
  ConfigValue value;
  value.kind = ConfigValue::Kind::kInt;
  value.integer = integer;
  value.number = static_cast<double>(integer);
  value.shown = fmt::format("{}", integer);
  return value;
}

ConfigValue make_double(double number) {
  ConfigValue value;
  value.kind = ConfigValue::Kind::kDouble;
  value.number = number;
  value.shown = fmt::format("{}", number);
  return value;
}

ConfigValue make_string(std::string_view text) {
  ConfigValue value;
  value.kind = ConfigValue::Kind::kString;
  value.text = text;
  value.shown = formats::quote(text);
  return value;
}

Status check_unique(const ConfigValue& object, const std::string& origin) {
  std::vector<std::string_view> names;
  names.reserve(object.members.size());
  for (const auto& member : object.members) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return {};
  return make_error("{}: key {} stands twice in one object", origin, formats::quote(*twice));
}

// GGUF array elements of every numeric type widen to one of two kinds.
std::vector<ConfigValue> gguf_items(const formats::GgufValue& value) {
  std::vector<ConfigValue> items;
  if (const auto integers = value.as_ints()) {
    for (const int64_t integer : *integers) items.push_back(make_int(integer));
  } else if (const auto numbers = value.as_doubles()) {
    for (const double number : *numbers) items.push_back(make_double(number));
  } else if (const auto strings = value.as_strings()) {
    for (const std::string_view text : *strings) items.push_back(make_string(text));
  } else {
    // Arrays of anything else are nobody's to read: one item keeps the list from looking empty.
    if (value.size() > 0) items.emplace_back();
  }
  return items;
}

ConfigValue gguf_value(const formats::GgufValue& value) {
  using formats::GgufType;
  if (value.type() == GgufType::kArray) {
    ConfigValue list;
    list.kind = ConfigValue::Kind::kList;
    list.items = gguf_items(value);
    list.shown = shorten(value.to_string());
    return list;
  }
  if (value.type() == GgufType::kBool) {
    ConfigValue flag;
    flag.kind = ConfigValue::Kind::kBool;
    flag.flag = value.as_bool().value_or(false);
    flag.shown = flag.flag ? "true" : "false";
    return flag;
  }
  if (const auto integer = value.as_int()) return make_int(*integer);
  if (const auto number = value.as_double()) return make_double(*number);
  if (const auto text = value.as_string()) return make_string(*text);
  return make_string(value.to_string());  // an integer beyond 63 bits: shown, and no kind of number
}

}  // namespace

bool ConfigValue::says_nothing() const {
  switch (kind) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return !flag;
    case Kind::kString:
      return text.empty();
    case Kind::kList:
      return items.empty();
    case Kind::kObject:
      return members.empty();
    case Kind::kInt:
    case Kind::kDouble:
      return false;
  }
  return false;
}

ConfigValue* ConfigValue::find(std::string_view name) {
  for (auto& member : members) {
    if (member.key == name) return &member;
  }
  return nullptr;
}

Result<ConfigValue> config_from_json(const json::Value& value, const std::string& origin) {
  if (const auto flag = value.as_bool()) {
    ConfigValue result;
    result.kind = ConfigValue::Kind::kBool;
    result.flag = *flag;
    result.shown = *flag ? "true" : "false";
    return result;
  }
  if (const auto integer = value.as_int()) return make_int(*integer);
  if (const auto number = value.as_double()) return make_double(*number);
  if (const auto text = value.as_string()) return make_string(*text);
  ConfigValue result;
  if (value.is_array()) {
    result.kind = ConfigValue::Kind::kList;
    for (size_t i = 0; i < value.size(); ++i) {
      FORGE_TRY(auto item, config_from_json(value.at(i), origin));
      result.items.push_back(std::move(item));
    }
  } else if (value.is_object()) {
    result.kind = ConfigValue::Kind::kObject;
    for (size_t i = 0; i < value.size(); ++i) {
      FORGE_TRY(auto member, config_from_json(value.member_at(i), origin));
      member.key = value.key_at(i);
      result.members.push_back(std::move(member));
    }
    FORGE_TRY_STATUS(check_unique(result, origin));
  }
  result.shown = shorten(value.is_null() ? "null" : value.dump());
  return result;
}

ConfigValue config_from_gguf(const formats::GgufFile& file, std::string_view architecture) {
  const std::string prefix = fmt::format("{}.", architecture);
  ConfigValue result;
  result.kind = ConfigValue::Kind::kObject;
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with(prefix)) continue;
    result.members.push_back(gguf_value(value));
    result.members.back().key = key.substr(prefix.size());
  }
  return result;
}

}  // namespace forge::models
