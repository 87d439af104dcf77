// get_slice of access.h.
#include <algorithm>
#include <optional>

#include "forge/base/utf8.h"
#include "forge/text/jinja/access.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

/// A slice's bounds made definite, as Python's slice.indices does.
struct SliceRange {
  int64_t start = 0;
  int64_t count = 0;
  int64_t step = 1;
};

std::optional<SliceRange> resolve_slice(Runtime& runtime, int64_t size, const Value& start,
                                        const Value& stop, const Value& step) {
  for (const Value* bound : {&start, &stop, &step}) {
    if (!bound->is_none() && !bound->is_integral()) {
      runtime.fail("slice indices must be integers or None, not {}", type_name(*bound));
      return std::nullopt;
    }
  }
  SliceRange range;
  range.step = step.is_none() ? 1 : step.as_int();
  if (range.step == 0) {
    runtime.fail("slice step cannot be zero");
    return std::nullopt;
  }
  const int64_t lowest = range.step > 0 ? 0 : -1;
  const int64_t highest = range.step > 0 ? size : size - 1;
  const auto resolve = [&](const Value& bound, int64_t absent) {
    if (bound.is_none()) return absent;
    const int64_t index = bound.as_int() < 0 ? bound.as_int() + size : bound.as_int();
    return std::clamp(index, lowest, highest);
  };
  RangeObject span;
  span.start = resolve(start, range.step > 0 ? 0 : size - 1);
  span.stop = resolve(stop, range.step > 0 ? size : -1);
  span.step = range.step;
  range.start = span.start;
  range.count = span.size();
  return range;
}

std::string slice_text(const std::string& text, const SliceRange& range) {
  const auto start = static_cast<size_t>(std::max<int64_t>(range.start, 0));
  const auto count = static_cast<size_t>(range.count);
  if (count == 0) return {};
  if (range.step == 1) {
    const size_t from = char_offset(text, start);
    const std::string_view rest = std::string_view(text).substr(from);
    return std::string(rest.substr(0, char_offset(rest, count)));
  }
  const std::u32string points = to_code_points(text);
  std::string out;
  for (int64_t i = 0; i < range.count; ++i) {
    append_utf8(out, points[static_cast<size_t>(range.start + i * range.step)]);
  }
  return out;
}

Value slice_range(Runtime& runtime, const RangeObject& source, const SliceRange& range) {
  auto* sliced = runtime.make<RangeObject>();
  if (range.count == 0) return Value::object(Kind::kRange, sliced);
  sliced->start = source.at(range.start);
  if (range.count > 1) sliced->step = source.step * range.step;  // the distance of two elements
  const int64_t last = sliced->start + (range.count - 1) * sliced->step;
  sliced->stop = sliced->step > 0 ? last + 1 : last - 1;
  return Value::object(Kind::kRange, sliced);
}

}  // namespace

Value get_slice(Runtime& runtime, const Value& value, const Value& start, const Value& stop,
                const Value& step) {
  if (value.is_undefined()) return runtime.fail_undefined(value);
  if (!value.is_string() && !value.is_sequence() && !value.is(Kind::kRange)) {
    return runtime.fail("'{}' object cannot be sliced", type_name(value));
  }
  if (value.is_string() && !runtime.charge_bytes(value.text().size())) return Value();
  const int64_t size = *length_of(value);
  const std::optional<SliceRange> range = resolve_slice(runtime, size, start, stop, step);
  if (!range) return Value();
  if (value.is_string()) {
    std::string text = slice_text(value.text(), *range);
    return value.is_markup() ? Value::markup(std::move(text)) : Value::string(std::move(text));
  }
  if (value.is(Kind::kRange)) return slice_range(runtime, value.range(), *range);
  if (!runtime.step(range->count)) return Value();
  const std::vector<Value>& items = value.sequence().items;
  std::vector<Value> taken;
  taken.reserve(static_cast<size_t>(range->count));
  for (int64_t i = 0; i < range->count; ++i) {
    taken.push_back(items[static_cast<size_t>(range->start + i * range->step)]);
  }
  return runtime.make_sequence(value.kind(), std::move(taken));
}

}  // namespace forge::text::jinja
