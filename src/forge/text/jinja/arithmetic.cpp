// The arithmetic of operators.h.
#include <cmath>

#include "forge/text/jinja/format.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

std::string_view symbol(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSubtract:
      return "-";
    case BinaryOp::kMultiply:
      return "*";
    case BinaryOp::kDivide:
      return "/";
    case BinaryOp::kFloorDivide:
      return "//";
    case BinaryOp::kModulo:
      return "%";
    case BinaryOp::kPower:
      return "**";
  }
  return "?";
}

Value overflow(Runtime& runtime, BinaryOp op) {
  return runtime.fail("the result of {} does not fit 64 bits", symbol(op));
}

Value power(Runtime& runtime, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) return runtime.fail("0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) {
      return overflow(runtime, BinaryOp::kPower);
    }
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base)) {
      return overflow(runtime, BinaryOp::kPower);
    }
  }
  return Value::integer(result);
}

Value integers(Runtime& runtime, BinaryOp op, int64_t a, int64_t b) {
  int64_t result = 0;
  switch (op) {
    case BinaryOp::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return overflow(runtime, op);
      return Value::integer(result);
    case BinaryOp::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) return overflow(runtime, op);
      return Value::integer(result);
    case BinaryOp::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) return overflow(runtime, op);
      return Value::integer(result);
    case BinaryOp::kDivide:
      if (b == 0) return runtime.fail("division by zero");
      return Value::real(static_cast<double>(a) / static_cast<double>(b));
    case BinaryOp::kFloorDivide:
    case BinaryOp::kModulo: {
      if (b == 0) return runtime.fail("integer division or modulo by zero");
      if (b == -1) {  // INT64_MIN / -1 does not fit
        if (op == BinaryOp::kModulo) return Value::integer(0);
        return negate(runtime, Value::integer(a));
      }
      const bool rounds_down = a % b != 0 && ((a % b < 0) != (b < 0));
      if (op == BinaryOp::kModulo) return Value::integer(rounds_down ? a % b + b : a % b);
      return Value::integer(rounds_down ? a / b - 1 : a / b);
    }
    case BinaryOp::kPower:
      return power(runtime, a, b);
  }
  return Value();
}

Value floats(Runtime& runtime, BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return Value::real(a + b);
    case BinaryOp::kSubtract:
      return Value::real(a - b);
    case BinaryOp::kMultiply:
      return Value::real(a * b);
    case BinaryOp::kDivide:
      if (b == 0) return runtime.fail("float division by zero");
      return Value::real(a / b);
    case BinaryOp::kFloorDivide:
      if (b == 0) return runtime.fail("float floor division by zero");
      return Value::real(std::floor(a / b));
    case BinaryOp::kModulo: {
      if (b == 0) return runtime.fail("float modulo by zero");
      double rest = std::fmod(a, b);
      if (rest != 0 && ((rest < 0) != (b < 0))) rest += b;
      return Value::real(rest == 0 ? std::copysign(0.0, b) : rest);
    }
    case BinaryOp::kPower: {
      if (a == 0 && b < 0) return runtime.fail("0.0 cannot be raised to a negative power");
      if (a < 0 && b != std::floor(b)) return runtime.fail("a power that is a complex number");
      const double result = std::pow(a, b);
      if (std::isinf(result) && std::isfinite(a) && std::isfinite(b)) {
        return runtime.fail("the result of ** is too large");
      }
      return Value::real(result);
    }
  }
  return Value();
}

Value repeat(Runtime& runtime, const Value& value, int64_t count) {
  const size_t n = count < 0 ? 0 : static_cast<size_t>(count);
  if (value.is_string()) {
    const std::string& text = value.text();
    size_t bytes = 0;
    if (__builtin_mul_overflow(text.size(), n, &bytes)) bytes = SIZE_MAX;
    if (!runtime.allow_string(bytes)) return Value();
    std::string out;
    out.reserve(bytes);
    for (size_t i = 0; i < n && !text.empty(); ++i) out += text;
    return value.is_markup() ? Value::markup(std::move(out)) : Value::string(std::move(out));
  }
  const std::vector<Value>& items = value.sequence().items;
  size_t n_items = 0;
  if (__builtin_mul_overflow(items.size(), n, &n_items) || n_items > INT32_MAX) n_items = INT32_MAX;
  if (!runtime.allow_elements(n_items)) return Value();
  std::vector<Value> out;
  out.reserve(n_items);
  for (size_t i = 0; i < n && !items.empty(); ++i)
    out.insert(out.end(), items.begin(), items.end());
  return runtime.make_sequence(value.kind(), std::move(out));
}

Value concatenate(Runtime& runtime, const Value& a, const Value& b) {
  if (!runtime.allow_string(a.text().size() + b.text().size())) return Value();
  if (a.is_markup() == b.is_markup()) {
    std::string joined = a.text() + b.text();
    return a.is_markup() ? Value::markup(std::move(joined)) : Value::string(std::move(joined));
  }
  return Value::markup((a.is_markup() ? a.text() : escape_html(a.text())) +
                       (b.is_markup() ? b.text() : escape_html(b.text())));
}

Value join_sequences(Runtime& runtime, const Value& a, const Value& b) {
  std::vector<Value> items;
  const std::vector<Value>& left = a.sequence().items;
  const std::vector<Value>& right = b.sequence().items;
  if (!runtime.allow_elements(left.size() + right.size())) return Value();
  items.reserve(left.size() + right.size());
  items.insert(items.end(), left.begin(), left.end());
  items.insert(items.end(), right.begin(), right.end());
  return runtime.make_sequence(a.kind(), std::move(items));
}

bool is_repeatable(const Value& value) { return value.is_string() || value.is_sequence(); }

}  // namespace

Value binary(Runtime& runtime, BinaryOp op, const Value& a, const Value& b) {
  if (a.is_integral() && b.is_integral()) return integers(runtime, op, a.as_int(), b.as_int());
  if (a.is_number() && b.is_number()) return floats(runtime, op, a.to_double(), b.to_double());
  if (op == BinaryOp::kModulo && a.is_string()) return format_percent(runtime, a, b);
  if (a.is_undefined() || b.is_undefined()) {
    return runtime.fail_undefined(a.is_undefined() ? a : b);
  }
  if (op == BinaryOp::kAdd && a.is_string() && b.is_string()) return concatenate(runtime, a, b);
  if (op == BinaryOp::kAdd && a.is_sequence() && a.kind() == b.kind()) {
    return join_sequences(runtime, a, b);
  }
  if (op == BinaryOp::kMultiply && is_repeatable(a) && b.is_integral()) {
    return repeat(runtime, a, b.as_int());
  }
  if (op == BinaryOp::kMultiply && a.is_integral() && is_repeatable(b)) {
    return repeat(runtime, b, a.as_int());
  }
  if (op == BinaryOp::kAdd && (a.is_string() || a.is_sequence())) {
    return runtime.fail("can only concatenate {0} (not \"{1}\") to {0}", type_name(a),
                        type_name(b));
  }
  return runtime.fail("unsupported operand type(s) for {}: '{}' and '{}'", symbol(op), type_name(a),
                      type_name(b));
}

Value add(Runtime& runtime, const Value& a, const Value& b) {
  return binary(runtime, BinaryOp::kAdd, a, b);
}

Value negate(Runtime& runtime, const Value& value) {
  if (value.is(Kind::kFloat)) return Value::real(-value.as_float());
  if (value.is_integral()) {
    int64_t result = 0;
    if (__builtin_sub_overflow(int64_t{0}, value.as_int(), &result)) {
      return overflow(runtime, BinaryOp::kSubtract);
    }
    return Value::integer(result);
  }
  if (value.is_undefined()) return runtime.fail_undefined(value);
  return runtime.fail("bad operand type for unary -: '{}'", type_name(value));
}

Value posit(Runtime& runtime, const Value& value) {
  if (value.is(Kind::kFloat)) return value;
  if (value.is_integral()) return Value::integer(value.as_int());
  if (value.is_undefined()) return runtime.fail_undefined(value);
  return runtime.fail("bad operand type for unary +: '{}'", type_name(value));
}

}  // namespace forge::text::jinja
