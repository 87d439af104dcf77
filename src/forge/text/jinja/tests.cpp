#include "forge/text/jinja/tests.h"

#include <unordered_map>

#include "forge/text/jinja/arguments.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

/// A test of the value alone.
template <bool (*kHolds)(const Value&)>
bool simple(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "this test", args);
  return kHolds(value);
}

Value other_value(Runtime& runtime, Arguments& args) {
  auto [other] = bind(runtime, "this test", args, {"other"});
  if (other.is_missing()) return runtime.fail("this test takes one argument");
  return other;
}

template <CompareOp kOp>
bool comparison(Runtime& runtime, const Value& value, Arguments& args) {
  const Value other = other_value(runtime, args);
  return !runtime.failed() && compare(runtime, kOp, value, other);
}

/// value % number == wanted
bool has_rest(Runtime& runtime, const Value& value, const Value& number, int64_t wanted) {
  const Value rest = binary(runtime, BinaryOp::kModulo, value, number);
  return !runtime.failed() && equals(runtime, rest, Value::integer(wanted));
}

bool odd(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "odd", args);
  return has_rest(runtime, value, Value::integer(2), 1);
}

bool even(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "even", args);
  return has_rest(runtime, value, Value::integer(2), 0);
}

bool divisible_by(Runtime& runtime, const Value& value, Arguments& args) {
  const Value number = other_value(runtime, args);
  return !runtime.failed() && has_rest(runtime, value, number, 0);
}

bool same_as(Runtime& runtime, const Value& value, Arguments& args) {
  const Value other = other_value(runtime, args);
  if (value.kind() != other.kind()) return false;
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      return value.text() == other.text();
    case Kind::kBool:
    case Kind::kInt:
      return value.as_int() == other.as_int();
    case Kind::kFloat:
      return value.as_float() == other.as_float();
    default:
      return value.object() == other.object();
  }
}

bool is_filter(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "filter", args);
  return value.is_string() && find_filter(value.text()) != nullptr;
}

bool is_test(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "test", args);
  return value.is_string() && find_test(value.text()) != nullptr;
}

bool lower(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "lower", args);
  return is_all_lower(to_text(runtime, value));
}

bool upper(Runtime& runtime, const Value& value, Arguments& args) {
  expect_no_arguments(runtime, "upper", args);
  return is_all_upper(to_text(runtime, value));
}

bool is_defined(const Value& value) { return !value.is_undefined(); }
bool is_undefined(const Value& value) { return value.is_undefined(); }
bool is_none(const Value& value) { return value.is_none(); }
bool is_boolean(const Value& value) { return value.is(Kind::kBool); }
bool is_false(const Value& value) { return value.is(Kind::kBool) && !value.as_bool(); }
bool is_true(const Value& value) { return value.is(Kind::kBool) && value.as_bool(); }
bool is_integer(const Value& value) { return value.is(Kind::kInt); }
bool is_float(const Value& value) { return value.is(Kind::kFloat); }
bool is_number(const Value& value) { return value.is_number(); }
bool is_string(const Value& value) { return value.is_string(); }
bool is_mapping(const Value& value) { return value.is(Kind::kDict); }
bool is_escaped(const Value& value) { return value.is_markup(); }

/// Has a length and can be indexed; an undefined value claims both.
bool is_sequence(const Value& value) {
  return value.is_sequence() || value.is_string() || value.is_undefined() ||
         value.is(Kind::kDict) || value.is(Kind::kRange);
}

bool is_callable(const Value& value) {
  return value.is(Kind::kFunction) || value.is(Kind::kMacro) || value.is(Kind::kJoiner) ||
         value.is(Kind::kLoop) || value.is_undefined();
}

}  // namespace

Test find_test(std::string_view name) {
  static const std::unordered_map<std::string_view, Test> kTests = {
      {"odd", odd},
      {"even", even},
      {"divisibleby", divisible_by},
      {"defined", simple<is_defined>},
      {"undefined", simple<is_undefined>},
      {"filter", is_filter},
      {"test", is_test},
      {"none", simple<is_none>},
      {"boolean", simple<is_boolean>},
      {"false", simple<is_false>},
      {"true", simple<is_true>},
      {"integer", simple<is_integer>},
      {"float", simple<is_float>},
      {"lower", lower},
      {"upper", upper},
      {"string", simple<is_string>},
      {"mapping", simple<is_mapping>},
      {"number", simple<is_number>},
      {"sequence", simple<is_sequence>},
      {"iterable", simple<is_iterable>},
      {"callable", simple<is_callable>},
      {"sameas", same_as},
      {"escaped", simple<is_escaped>},
      {"in", comparison<CompareOp::kIn>},
      {"==", comparison<CompareOp::kEqual>},
      {"eq", comparison<CompareOp::kEqual>},
      {"equalto", comparison<CompareOp::kEqual>},
      {"!=", comparison<CompareOp::kNotEqual>},
      {"ne", comparison<CompareOp::kNotEqual>},
      {">", comparison<CompareOp::kGreater>},
      {"gt", comparison<CompareOp::kGreater>},
      {"greaterthan", comparison<CompareOp::kGreater>},
      {">=", comparison<CompareOp::kGreaterEqual>},
      {"ge", comparison<CompareOp::kGreaterEqual>},
      {"<", comparison<CompareOp::kLess>},
      {"lt", comparison<CompareOp::kLess>},
      {"lessthan", comparison<CompareOp::kLess>},
      {"<=", comparison<CompareOp::kLessEqual>},
      {"le", comparison<CompareOp::kLessEqual>},
  };
  const auto found = kTests.find(name);
  return found == kTests.end() ? nullptr : found->second;
}

}  // namespace forge::text::jinja
