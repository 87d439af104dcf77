// Reading members of a JSON object with errors that say where: "tokenizer.json: model.vocab: ...".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forge/base/json.h"
#include "forge/base/result.h"

namespace forge::text {

/// An object (or what should be one) and the path that leads to it.
struct JsonObject {
  json::Value value;
  std::string where;  // "tokenizer.json: model"; for a file's root "tokenizer.json:"

  /// Where a member is: "tokenizer.json: model.vocab".
  [[nodiscard]] std::string path_of(std::string_view key) const;

  /// A member that is an object; an error where it is missing or something else.
  [[nodiscard]] Result<JsonObject> object(std::string_view key) const;
  /// A member that is an array.
  [[nodiscard]] Result<json::Value> array(std::string_view key) const;
  [[nodiscard]] Result<std::string_view> string(std::string_view key) const;
  /// A member that must be a boolean; missing gives the default, if there is one.
  [[nodiscard]] Result<bool> boolean(std::string_view key,
                                     std::optional<bool> fallback = std::nullopt) const;
  /// A whole number from 0 to max.
  [[nodiscard]] Result<int32_t> index(std::string_view key, int32_t max) const;
  /// A string, or nothing where the member is missing or null.
  [[nodiscard]] Result<std::optional<std::string>> optional_string(std::string_view key) const;
  [[nodiscard]] Result<std::optional<bool>> optional_boolean(std::string_view key) const;

  /// "tokenizer.json: model.vocab: a number, expected an object".
  [[nodiscard]] Error unexpected(std::string_view key, std::string_view expected) const;
  /// Element i of an array member.
  [[nodiscard]] JsonObject element(std::string_view key, json::Value array, size_t i) const;
};

/// "an object", "a string", "nothing" for a missing value.
[[nodiscard]] std::string_view kind_name(json::Value value);

}  // namespace forge::text
