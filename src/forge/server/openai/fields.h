// Reads the members of a JSON object one by one, each with its type and range.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/server/openai/api_error.h"

namespace forge::server::openai {

enum class LowEnd { kIncluded, kExcluded };

/// Numbers that a field may hold.
struct NumberRange {
  double low = 0.0;
  double high = std::numeric_limits<double>::infinity();
  LowEnd low_end = LowEnd::kIncluded;
};

/// A field that is known, would change the answer, and is not supported.
struct RefusedField {
  std::string_view name;
  std::string_view why;
};

/// The value as text for a message: short whatever it is.
[[nodiscard]] std::string shown(const json::Value& value);

/// One JSON object of a request. A member that is null counts as absent, as in the OpenAI API; one
/// that is there twice is refused.
///
/// Errors are sticky: the first one of the whole request is kept in the slot that all its Fields
/// share, and what is read after it is thrown away. Names must outlive the object.
class Fields {
 public:
  /// path: where the object is, for messages: "" for the body, else "messages[2]".
  Fields(const json::Value& object, std::string path, std::optional<ApiError>& error);

  [[nodiscard]] std::optional<double> number(std::string_view name, const NumberRange& range);
  [[nodiscard]] std::optional<int64_t> integer(std::string_view name, int64_t low, int64_t high);
  [[nodiscard]] std::optional<bool> flag(std::string_view name);
  /// Nothing where it is longer than max_bytes; valid while the document lives.
  [[nodiscard]] std::optional<std::string_view> text(std::string_view name, size_t max_bytes);
  /// One of these words.
  [[nodiscard]] std::optional<std::string_view> word(std::string_view name,
                                                     std::span<const std::string_view> words);
  /// A value of any kind; missing where absent or null.
  [[nodiscard]] json::Value any(std::string_view name);
  [[nodiscard]] json::Value array(std::string_view name);
  [[nodiscard]] json::Value object(std::string_view name);

  /// Known members without effect, of any type.
  void accept(std::span<const std::string_view> names);
  void refuse(std::span<const RefusedField> refused);
  /// All that has not been named by now is unknown: an error, or added to *ignored if there is one.
  void finish(std::vector<std::string>* ignored);

  /// Records an error of a member unless there is one already.
  void fail(std::string_view name, std::string_view what);
  /// Any error so far, of whichever object.
  [[nodiscard]] bool has_failed() const { return error_.has_value(); }
  [[nodiscard]] std::optional<ApiError>& error() { return error_; }
  /// "messages[2].content"
  [[nodiscard]] std::string path_of(std::string_view name) const;

 private:
  /// Records an error of the object itself and looks at none of its members.
  void refuse_whole(std::string_view what);
  void fail_type(std::string_view name, std::string_view expected, const json::Value& value);

  json::Value object_;
  std::string path_;
  std::optional<ApiError>& error_;
  std::vector<std::string_view> known_;
};

/// An element of a list, read as Fields' numbers are. param names it in errors:
/// "stop_token_ids[3]".
[[nodiscard]] std::optional<int64_t> read_integer(const json::Value& value, std::string_view param,
                                                  int64_t low, int64_t high,
                                                  std::optional<ApiError>& error);

}  // namespace forge::server::openai
