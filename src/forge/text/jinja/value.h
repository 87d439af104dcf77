// A value inside a template: what Python would hold there, as far as a chat template can tell.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace forge::text::jinja {

enum class Kind : uint8_t {
  kMissing,    // no value at all: an argument that was not given, a variable that was not set
  kUndefined,  // Jinja's Undefined: prints as "", is false, and every other use of it is an error
  kNone,
  kBool,
  kInt,
  kFloat,
  kString,
  kList,
  kTuple,
  kDict,
  kRange,
  kView,      // dict.keys(), dict.values(), dict.items()
  kIterator,  // what map, select and other lazy filters give: true, without a length, read once
  kNamespace,
  kLoop,
  kMacro,
  kFunction,
  kCycler,
  kJoiner,
};

/// Base of all containers and callables. A Heap owns them until its rendering ends, whoever refers
/// to whom: a cycle does not leak and a long chain is not freed by recursion.
struct Object {
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;
};

struct Sequence;
struct DictObject;
struct RangeObject;
struct ViewObject;
struct IteratorObject;
struct NamespaceObject;
struct LoopObject;
struct MacroObject;
struct FunctionObject;
struct CyclerObject;
struct JoinerObject;

using Text = std::shared_ptr<const std::string>;

/// Cheap to copy: a scalar, a shared text, or a pointer to an Object that the Heap keeps alive.
/// Integers are 64 bits wide; what does not fit is an error where Python would go on.
class Value {
 public:
  Value() = default;  // undefined

  static Value missing() { return Value(Kind::kMissing); }
  static Value none() { return Value(Kind::kNone); }
  static Value boolean(bool flag);
  static Value integer(int64_t number);
  static Value real(double number);
  static Value string(std::string text);
  static Value string(std::string_view text) { return string(std::string(text)); }
  static Value string(const char* text) { return string(std::string(text)); }
  static Value string(Text text);
  /// Text that went through `safe` or `escape`: joining it with plain text escapes the plain side.
  static Value markup(std::string text);
  /// hint is the message of the error that any use other than printing and testing gives.
  static Value undefined(std::string hint);
  static Value object(Kind kind, Object* object);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is(Kind kind) const { return kind_ == kind; }
  [[nodiscard]] bool is_missing() const { return kind_ == Kind::kMissing; }
  [[nodiscard]] bool is_undefined() const { return kind_ == Kind::kUndefined; }
  [[nodiscard]] bool is_none() const { return kind_ == Kind::kNone; }
  [[nodiscard]] bool is_string() const { return kind_ == Kind::kString; }
  [[nodiscard]] bool is_markup() const { return is_markup_; }
  /// bool or int, which Python lets stand for each other.
  [[nodiscard]] bool is_integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  [[nodiscard]] bool is_number() const { return is_integral() || kind_ == Kind::kFloat; }
  [[nodiscard]] bool is_sequence() const { return kind_ == Kind::kList || kind_ == Kind::kTuple; }

  /// The content; the caller has checked the kind.
  [[nodiscard]] bool as_bool() const { return scalar_.integer != 0; }
  [[nodiscard]] int64_t as_int() const { return scalar_.integer; }
  [[nodiscard]] double as_float() const { return scalar_.real; }
  /// Of any number.
  [[nodiscard]] double to_double() const {
    return kind_ == Kind::kFloat ? scalar_.real : static_cast<double>(scalar_.integer);
  }
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] const Text& shared_text() const { return text_; }
  [[nodiscard]] const std::string& hint() const;
  [[nodiscard]] Object* object() const { return scalar_.object; }

  [[nodiscard]] Sequence& sequence() const;
  [[nodiscard]] DictObject& dict() const;
  [[nodiscard]] RangeObject& range() const;
  [[nodiscard]] ViewObject& view() const;
  [[nodiscard]] IteratorObject& iterator() const;
  [[nodiscard]] NamespaceObject& space() const;
  [[nodiscard]] LoopObject& loop() const;
  [[nodiscard]] MacroObject& macro() const;
  [[nodiscard]] FunctionObject& function() const;
  [[nodiscard]] CyclerObject& cycler() const;
  [[nodiscard]] JoinerObject& joiner() const;

 private:
  explicit Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::kUndefined;
  bool is_markup_ = false;
  union {
    int64_t integer;
    double real;
    Object* object;
  } scalar_ = {0};
  Text text_;
};

/// Python's name of the value's type: "NoneType", "str", "dict", ...
[[nodiscard]] std::string_view type_name(const Value& value);

/// How Jinja names an object in "... has no attribute ...": "None", "dict object", ...
[[nodiscard]] std::string object_name(const Value& value);

}  // namespace forge::text::jinja
