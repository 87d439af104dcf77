#include "forge/server/openai/fields.h"

#include <algorithm>

#include "forge/base/utf8.h"

namespace forge::server::openai {
namespace {

// Far above what the API names; each read of a member looks through all of them.
constexpr size_t kMaxMembers = 256;
constexpr size_t kShownBytes = 64;

std::string describe(const NumberRange& range) {
  const bool excluded = range.low_end == LowEnd::kExcluded;
  if (range.high == std::numeric_limits<double>::infinity()) {
    return fmt::format("a number {} {}", excluded ? "above" : "of at least", range.low);
  }
  return fmt::format("a number {} {} {} {}", excluded ? "above" : "from", range.low,
                     excluded ? "and up to" : "to", range.high);
}

}  // namespace

std::string shown(const json::Value& value) {
  if (value.is_array()) return "an array";
  if (value.is_object()) return "an object";
  const std::optional<std::string_view> text = value.as_string();
  if (!text || text->size() <= kShownBytes) return value.dump();
  return fmt::format("\"{}...\"",
                     text->substr(0, complete_utf8_prefix(text->substr(0, kShownBytes))));
}

Fields::Fields(const json::Value& object, std::string path, std::optional<ApiError>& error)
    : object_(object), path_(std::move(path)), error_(error) {
  if (!object.is_object()) {
    refuse_whole(fmt::format("expected an object, got {}", shown(object)));
    return;
  }
  if (object.size() > kMaxMembers) {
    refuse_whole(fmt::format("{} members, at most {} expected", object.size(), kMaxMembers));
    return;
  }
  std::vector<std::string_view> names;
  for (size_t i = 0; i < object.size(); ++i) names.push_back(object.key_at(i));
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail(*twice, "given twice");
}

void Fields::refuse_whole(std::string_view what) {
  object_ = {};
  if (error_) return;
  error_ = field_error(path_.empty() ? "request body" : path_, what);
  if (path_.empty()) error_->param.reset();
}

std::string Fields::path_of(std::string_view name) const {
  if (name.size() > kShownBytes)
    name = name.substr(0, complete_utf8_prefix(name.substr(0, kShownBytes)));
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

void Fields::fail(std::string_view name, std::string_view what) {
  if (!error_) error_ = field_error(path_of(name), what);
}

void Fields::fail_type(std::string_view name, std::string_view expected, const json::Value& value) {
  fail(name, fmt::format("expected {}, got {}", expected, shown(value)));
}

json::Value Fields::any(std::string_view name) {
  known_.push_back(name);
  const json::Value value = object_.find(name);
  return value.is_null() ? json::Value() : value;
}

std::optional<double> Fields::number(std::string_view name, const NumberRange& range) {
  const json::Value value = any(name);
  if (value.is_missing()) return std::nullopt;
  const std::optional<double> number = value.as_double();
  if (!number) {
    fail_type(name, describe(range), value);
    return std::nullopt;
  }
  const bool above_low =
      range.low_end == LowEnd::kIncluded ? *number >= range.low : *number > range.low;
  if (!above_low || *number > range.high) {
    fail(name, fmt::format("{} is out of range, expected {}", shown(value), describe(range)));
    return std::nullopt;
  }
  return number;
}

std::optional<int64_t> read_integer(const json::Value& value, std::string_view param, int64_t low,
                                    int64_t high, std::optional<ApiError>& error) {
  const std::optional<int64_t> number = value.as_int();
  if (number && *number >= low && *number <= high) return number;
  if (!error) {
    const std::string expected = fmt::format("a whole number from {} to {}", low, high);
    // A whole number that 64 bits do not hold is out of range too.
    error = field_error(param,
                        value.is_number()
                            ? fmt::format("{} is out of range, expected {}", shown(value), expected)
                            : fmt::format("expected {}, got {}", expected, shown(value)));
  }
  return std::nullopt;
}

std::optional<int64_t> Fields::integer(std::string_view name, int64_t low, int64_t high) {
  const json::Value value = any(name);
  if (value.is_missing()) return std::nullopt;
  return read_integer(value, path_of(name), low, high, error_);
}

std::optional<bool> Fields::flag(std::string_view name) {
  const json::Value value = any(name);
  if (value.is_missing()) return std::nullopt;
  if (!value.as_bool()) fail_type(name, "true or false", value);
  return value.as_bool();
}

std::optional<std::string_view> Fields::text(std::string_view name, size_t max_bytes) {
  const json::Value value = any(name);
  if (value.is_missing()) return std::nullopt;
  const std::optional<std::string_view> text = value.as_string();
  if (!text) {
    fail_type(name, "a string", value);
  } else if (text->size() > max_bytes) {
    fail(name, fmt::format("{} bytes, at most {} expected", text->size(), max_bytes));
    return std::nullopt;
  }
  return text;
}

std::optional<std::string_view> Fields::word(std::string_view name,
                                             std::span<const std::string_view> words) {
  const json::Value value = any(name);
  if (value.is_missing()) return std::nullopt;
  const std::optional<std::string_view> text = value.as_string();
  if (text && std::find(words.begin(), words.end(), *text) != words.end()) return text;
  fail_type(name, fmt::format("one of \"{}\"", fmt::join(words, "\", \"")), value);
  return std::nullopt;
}

json::Value Fields::array(std::string_view name) {
  const json::Value value = any(name);
  if (value.is_missing() || value.is_array()) return value;
  fail_type(name, "an array", value);
  return {};
}

json::Value Fields::object(std::string_view name) {
  const json::Value value = any(name);
  if (value.is_missing() || value.is_object()) return value;
  fail_type(name, "an object", value);
  return {};
}

void Fields::accept(std::span<const std::string_view> names) {
  known_.insert(known_.end(), names.begin(), names.end());
}

void Fields::refuse(std::span<const RefusedField> refused) {
  for (const RefusedField& field : refused) {
    if (!any(field.name).is_missing()) fail(field.name, field.why);
  }
}

void Fields::finish(std::vector<std::string>* ignored) {
  for (size_t i = 0; i < object_.size(); ++i) {
    const std::string_view name = object_.key_at(i);
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (ignored == nullptr) {
      fail(name, "unknown field");
    } else {
      ignored->push_back(path_of(name));
    }
  }
}

}  // namespace forge::server::openai
