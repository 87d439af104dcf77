// JSON (RFC 8259) in and out. The parser behind it is RapidJSON, which no other file includes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forge/base/result.h"

namespace forge::json {

enum class Kind { kNull, kBool, kNumber, kString, kArray, kObject };

/// A handle to a value inside a Document: cheap to copy, valid while the Document lives. A
/// default-made Value is "missing": it is no kind of value, and looking inside gives missing again.
class Value {
 public:
  Value() = default;

  [[nodiscard]] bool is_missing() const { return node_ == nullptr; }
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_object() const;
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_string() const;
  [[nodiscard]] bool is_number() const;
  /// The kind of a value that is not missing.
  [[nodiscard]] Kind kind() const;

  /// The value as that type, or nothing where it is something else (or does not fit).
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<int64_t> as_int() const;
  [[nodiscard]] std::optional<double> as_double() const;
  [[nodiscard]] std::optional<std::string_view> as_string() const;

  /// Members of an object or elements of an array; 0 for everything else.
  [[nodiscard]] size_t size() const;
  /// Element i < size() of an array.
  [[nodiscard]] Value at(size_t i) const;
  /// The first member with this name, or missing. Linear in the object's size.
  [[nodiscard]] Value find(std::string_view key) const;
  /// Member i < size() of an object, in file order.
  [[nodiscard]] std::string_view key_at(size_t i) const;
  [[nodiscard]] Value member_at(size_t i) const;

  /// Compact JSON text of the value, for messages.
  [[nodiscard]] std::string dump() const;

 private:
  friend class Document;
  friend class Writer;
  explicit Value(const void* node) : node_(node) {}
  const void* node_ = nullptr;
};

/// A parsed text; owns everything its Values point to. Immutable, so any thread may read it.
class Document {
 public:
  /// Parses a whole text of less than 4 GiB; more than 256 levels of nesting are refused, as is
  /// what would not give strings of valid UTF-8. origin names the text in errors: "config.json:
  /// line 3, column 7: not valid JSON: ..."; an empty one is left out. first_line: the number of
  /// the text's first line, where it is a part of something longer.
  [[nodiscard]] static Result<Document> parse(std::string_view text, std::string_view origin,
                                              int64_t first_line = 1);
  /// Maps and parses a file.
  [[nodiscard]] static Result<Document> load(const std::string& path);

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] Value root() const;

 private:
  struct State;
  explicit Document(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Writes JSON text piece by piece; calls must nest correctly (checked). Strings that are not valid
/// UTF-8 are written with U+FFFD in place of what is invalid, since JSON has no other way.
class Writer {
 public:
  enum class Layout { kCompact, kIndented };
  explicit Writer(Layout layout = Layout::kCompact);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(int64_t number);
  Writer& value(int32_t number) { return value(static_cast<int64_t>(number)); }
  Writer& value(uint64_t number);
  /// Not-a-number and infinities become null.
  Writer& value(double number);
  Writer& value(bool flag);
  /// A copy of a value that is not missing, with all it holds.
  Writer& value(const Value& copied);
  Writer& null();

  template <typename T>
  Writer& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }

  /// The text so far.
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace forge::json
