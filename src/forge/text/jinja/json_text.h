// Values to JSON text, byte for byte as Python's json.dumps writes it, and JSON to values.
#pragma once

#include <optional>
#include <string>

#include "forge/base/json.h"
#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

/// The arguments of json.dumps that the transformers library's tojson passes on.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // text of one level; none puts everything on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

/// Fails on what JSON cannot hold (undefined, functions, ...), as json.dumps does.
[[nodiscard]] std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

/// The value of a JSON text's node; of a name that occurs twice in an object the last value counts.
/// Integers beyond 64 bits become floats. missing becomes Value::missing().
[[nodiscard]] Value from_json(Runtime& runtime, const json::Value& node);

}  // namespace forge::text::jinja
