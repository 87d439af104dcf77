// A checkpoint's configuration as one kind of tree, whatever file it came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/formats/gguf.h"

namespace forge::models {

/// One value of a configuration. Plain data: owns its text and its members.
struct ConfigValue {
  enum class Kind { kNull, kBool, kInt, kDouble, kString, kList, kObject };

  Kind kind = Kind::kNull;
  bool flag = false;                 // kBool
  int64_t integer = 0;               // kInt
  double number = 0.0;               // kDouble, and kInt as a double
  std::string text;                  // kString
  std::vector<ConfigValue> items;    // kList
  std::vector<ConfigValue> members;  // kObject, in file order
  std::string key;                   // of a member
  std::string shown;                 // as error messages quote it, shortened
  bool is_used = false;              // a ConfigReader has looked at it
  bool is_entered = false;           // as a child: its members are to be looked at one by one

  [[nodiscard]] bool is_number() const { return kind == Kind::kInt || kind == Kind::kDouble; }
  /// null, false, "", [] and {}: what a config says about a feature that it does not use.
  [[nodiscard]] bool says_nothing() const;
  /// The member with this name, or nullptr.
  [[nodiscard]] ConfigValue* find(std::string_view name);
};

/// A JSON object as a tree. Refuses a key that stands twice in one object: readers differ on which
/// one counts. origin names the file in errors.
[[nodiscard]] Result<ConfigValue> config_from_json(const json::Value& value,
                                                   const std::string& origin);

/// The metadata under "<architecture>." as one flat object; keys lose that prefix and keep their
/// dots.
[[nodiscard]] ConfigValue config_from_gguf(const formats::GgufFile& file,
                                           std::string_view architecture);

}  // namespace forge::models
