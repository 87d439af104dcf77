#include "forge/models/config_reader.h"

#include <cmath>
#include <utility>

#include "forge/formats/quote.h"

namespace forge::models {

using Kind = ConfigValue::Kind;

struct ConfigReader::Shared {
  ConfigValue root;
  std::string origin;
  std::optional<Error> error;
};

ConfigReader::ConfigReader(ConfigValue root, std::string origin, std::string prefix)
    : shared_(std::make_shared<Shared>()), prefix_(std::move(prefix)) {
  shared_->root = std::move(root);
  shared_->origin = std::move(origin);
  object_ = &shared_->root;
  if (object_->kind != Kind::kObject) fail("expected an object at the top");
}

ConfigReader::ConfigReader(std::shared_ptr<Shared> shared, ConfigValue* object, std::string prefix)
    : shared_(std::move(shared)), object_(object), prefix_(std::move(prefix)) {}

bool ConfigReader::failed() const { return shared_->error.has_value(); }

void ConfigReader::fail(std::string_view message) {
  if (!failed()) shared_->error = make_error("{}: {}", shared_->origin, message);
}

void ConfigReader::fail_at(std::string_view key, std::string_view message) {
  const ConfigValue* value = object_->find(key);
  const std::string found = value == nullptr ? "" : " = " + value->shown;
  fail(fmt::format("key {}{}: {}", formats::quote(prefix_ + std::string(key)), found, message));
}

bool ConfigReader::has(std::string_view key) const {
  const ConfigValue* value = object_->find(key);
  return value != nullptr && value->kind != Kind::kNull;
}

bool ConfigReader::is_null(std::string_view key) const {
  const ConfigValue* value = object_->find(key);
  return value != nullptr && value->kind == Kind::kNull;
}

// The value that is to be read now, or nullptr where it is absent, null, or an error came before.
ConfigValue* ConfigReader::take(std::string_view key) {
  ConfigValue* value = object_->find(key);
  if (value == nullptr) return nullptr;
  value->is_used = true;
  return value->kind == Kind::kNull || failed() ? nullptr : value;
}

ConfigValue* ConfigReader::take_required(std::string_view key) {
  ConfigValue* value = take(key);
  if (value == nullptr) fail_at(key, "required and missing");
  return value;
}

int32_t ConfigReader::bounded(std::string_view key, const ConfigValue& value, int32_t min,
                              int32_t max) {
  if (value.kind != Kind::kInt || value.integer < min || value.integer > max) {
    fail_at(key, fmt::format("expected an integer from {} to {}", min, max));
    return min;
  }
  return static_cast<int32_t>(value.integer);
}

int32_t ConfigReader::required_int(std::string_view key, int32_t min, int32_t max) {
  const ConfigValue* value = take_required(key);
  return value == nullptr ? min : bounded(key, *value, min, max);
}

int32_t ConfigReader::optional_int(std::string_view key, int32_t fallback, int32_t min,
                                   int32_t max) {
  const ConfigValue* value = take(key);
  return value == nullptr ? fallback : bounded(key, *value, min, max);
}

int32_t ConfigReader::uniform(std::string_view key, const ConfigValue& value, int32_t min,
                              int32_t max) {
  if (value.kind != Kind::kList) return bounded(key, value, min, max);
  if (value.items.empty()) {
    fail_at(key, "expected an integer or a list of equal integers, found an empty list");
    return min;
  }
  for (const ConfigValue& item : value.items) {
    if (item.kind != Kind::kInt || item.integer != value.items[0].integer) {
      fail_at(key, "differs between layers, which Forge does not support");
      return min;
    }
  }
  return bounded(key, value.items[0], min, max);
}

int32_t ConfigReader::required_uniform_int(std::string_view key, int32_t min, int32_t max) {
  const ConfigValue* value = take_required(key);
  return value == nullptr ? min : uniform(key, *value, min, max);
}

int32_t ConfigReader::optional_uniform_int(std::string_view key, int32_t fallback, int32_t min,
                                           int32_t max) {
  const ConfigValue* value = take(key);
  return value == nullptr ? fallback : uniform(key, *value, min, max);
}

double ConfigReader::finite(std::string_view key, const ConfigValue& value) {
  if (!value.is_number() || !std::isfinite(value.number)) {
    fail_at(key, "expected a finite number");
    return 0.0;
  }
  return value.number;
}

double ConfigReader::required_double(std::string_view key) {
  const ConfigValue* value = take_required(key);
  return value == nullptr ? 0.0 : finite(key, *value);
}

double ConfigReader::optional_double(std::string_view key, double fallback) {
  return optional_number(key).value_or(fallback);
}

std::optional<double> ConfigReader::optional_number(std::string_view key) {
  const ConfigValue* value = take(key);
  if (value == nullptr) return std::nullopt;
  return finite(key, *value);
}

bool ConfigReader::optional_bool(std::string_view key, bool fallback) {
  const ConfigValue* value = take(key);
  if (value == nullptr) return fallback;
  if (value->kind != Kind::kBool) fail_at(key, "expected true or false");
  return value->flag;
}

std::optional<std::string> ConfigReader::optional_string(std::string_view key) {
  const ConfigValue* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Kind::kString) fail_at(key, "expected a string");
  return value->text;
}

std::vector<double> ConfigReader::required_doubles(std::string_view key) {
  const ConfigValue* value = take_required(key);
  std::vector<double> numbers;
  if (value == nullptr) return numbers;
  if (value->kind != Kind::kList) fail_at(key, "expected a list of numbers");
  for (const ConfigValue& item : value->items) {
    if (!item.is_number() || !std::isfinite(item.number)) {
      fail_at(key, "expected a list of finite numbers");
      return {};
    }
    numbers.push_back(item.number);
  }
  return numbers;
}

std::vector<std::string> ConfigReader::optional_strings(std::string_view key) {
  const ConfigValue* value = take(key);
  std::vector<std::string> strings;
  if (value == nullptr) return strings;
  if (value->kind != Kind::kList) fail_at(key, "expected a list of strings");
  for (const ConfigValue& item : value->items) {
    if (item.kind != Kind::kString) fail_at(key, "expected a list of strings");
    strings.push_back(item.text);
  }
  return strings;
}

std::vector<int64_t> ConfigReader::optional_ints(std::string_view key) {
  const ConfigValue* value = take(key);
  if (value == nullptr) return {};
  if (value->kind == Kind::kInt) return {value->integer};
  if (value->kind != Kind::kList) fail_at(key, "expected an integer or a list of integers");
  std::vector<int64_t> integers;
  for (const ConfigValue& item : value->items) {
    if (item.kind != Kind::kInt) fail_at(key, "expected a list of integers");
    integers.push_back(item.integer);
  }
  return integers;
}

void ConfigReader::must_equal(std::string_view key, double expected) {
  const ConfigValue* value = take(key);
  if (value == nullptr || (value->is_number() && value->number == expected)) return;
  fail_at(key, fmt::format("Forge implements only {}", expected));
}

void ConfigReader::must_equal(std::string_view key, bool expected) {
  const ConfigValue* value = take(key);
  if (value == nullptr || (value->kind == Kind::kBool && value->flag == expected)) return;
  fail_at(key, fmt::format("Forge implements only {}", expected));
}

void ConfigReader::must_equal(std::string_view key, const char* expected) {
  const ConfigValue* value = take(key);
  if (value == nullptr || (value->kind == Kind::kString && value->text == expected)) return;
  fail_at(key, fmt::format("Forge implements only \"{}\"", expected));
}

void ConfigReader::inert(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (ConfigValue* value = object_->find(key)) value->is_used = true;
  }
}

void ConfigReader::refuse(std::string_view key, std::string_view reason) {
  ConfigValue* value = object_->find(key);
  if (value == nullptr || value->says_nothing()) return;
  value->is_used = true;
  fail_at(key, reason);
}

std::optional<ConfigReader> ConfigReader::child(std::string_view key) {
  ConfigValue* value = take(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Kind::kObject) {
    fail_at(key, "expected an object");
    return std::nullopt;
  }
  value->is_entered = true;
  return ConfigReader(shared_, value, fmt::format("{}{}.", prefix_, key));
}

Status ConfigReader::finish(bool allow_unknown, std::vector<std::string>& notes) {
  for (ConfigValue& value : object_->members) {
    const std::string& key = value.key;
    if (failed()) break;
    if ((value.is_used && !value.is_entered) || value.says_nothing()) continue;
    if (value.is_entered) {
      ConfigReader inside(shared_, &value, fmt::format("{}{}.", prefix_, key));
      FORGE_TRY_STATUS(inside.finish(allow_unknown, notes));
    } else if (allow_unknown) {
      notes.push_back(fmt::format("{}: key {} = {}: unknown to Forge and ignored", shared_->origin,
                                  formats::quote(prefix_ + key), value.shown));
    } else {
      fail_at(key, "Forge does not know this key, so the model's maths may not be what it runs");
    }
  }
  if (failed()) return *shared_->error;
  return {};
}

}  // namespace forge::models
