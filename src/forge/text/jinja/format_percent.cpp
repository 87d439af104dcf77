// The printf-style formatting of format.h.
#include <algorithm>
#include <cmath>
#include <string>

#include "forge/base/utf8.h"
#include "forge/text/jinja/format.h"
#include "forge/text/jinja/format_spec.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

namespace {

std::string repr_text(Runtime& runtime, const Value& value) {
  std::string out;
  append_repr(runtime, out, value);
  return out;
}

/// Walks a printf-style format string.
class PercentFormatter {
 public:
  PercentFormatter(Runtime& runtime, std::string_view text, const Value& values, bool escapes)
      : runtime_(runtime), text_(text), values_(values), escapes_(escapes) {}

  std::string run() {
    std::string out;
    while (at_ < text_.size() && !runtime_.failed()) {
      const size_t percent = std::min(text_.find('%', at_), text_.size());
      out += text_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ >= text_.size()) break;
      ++at_;
      out += conversion();
      if (!runtime_.allow_string(out.size())) break;
    }
    // What Python takes for a mapping may be left over.
    const bool is_mapping = values_.is(Kind::kDict) || values_.is(Kind::kList) ||
                            values_.is(Kind::kRange) || values_.is_undefined();
    const size_t n_values = values_.is(Kind::kTuple) ? values_.sequence().items.size() : 1;
    if (!is_mapping && next_ < n_values) {
      runtime_.fail("not all arguments converted during string formatting");
    }
    return out;
  }

 private:
  bool accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  Value next_value() {
    if (!values_.is(Kind::kTuple)) {
      if (next_++ == 0) return values_;
    } else if (next_ < values_.sequence().items.size()) {
      return values_.sequence().items[next_++];
    }
    return runtime_.fail("not enough arguments for format string");
  }

  Value named_value() {
    const size_t close = text_.find(')', at_);
    if (close == std::string_view::npos) return runtime_.fail("incomplete format key");
    const std::string_view name = text_.substr(at_, close - at_);
    at_ = close + 1;
    if (!values_.is(Kind::kDict)) return runtime_.fail("format requires a mapping");
    const Value* found = values_.dict().entries.find(name);
    return found == nullptr ? runtime_.fail("no key '{}' to format", name) : *found;
  }

  size_t number() {
    size_t result = 0;
    if (accept('*')) {
      const Value given = next_value();
      if (!given.is_integral() || given.as_int() < 0) {
        runtime_.fail("* wants a number that is not negative");
        return 0;
      }
      result = static_cast<size_t>(given.as_int());
    }
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' &&
           result <= kMaxFormatWidth) {
      result = result * 10 + static_cast<size_t>(text_[at_++] - '0');
    }
    if (result > kMaxFormatWidth) runtime_.fail("a format width above {}", kMaxFormatWidth);
    return result;
  }

  std::string conversion() {
    if (accept('%')) return "%";
    const bool has_name = accept('(');
    const Value named = has_name ? named_value() : Value();
    FormatSpec spec;
    spec.align = '>';
    bool zero = false;
    for (bool more = true; more && at_ < text_.size();) {
      const char flag = text_[at_];
      if (flag == '-') spec.align = '<';
      if (flag == '0') zero = true;
      if (flag == '#') spec.is_alternate = true;
      if (flag == '+' || (flag == ' ' && spec.sign != '+')) spec.sign = flag;
      more = flag == '-' || flag == '0' || flag == '#' || flag == '+' || flag == ' ';
      if (more) ++at_;
    }
    spec.width = number();
    if (accept('.')) spec.precision = static_cast<int>(number());
    if (at_ >= text_.size()) {
      runtime_.fail("incomplete format");
      return {};
    }
    const char type = text_[at_++];
    const Value value = has_name ? named : next_value();
    if (runtime_.failed()) return {};
    return convert(value, type, zero && spec.align != '<', spec);
  }

  std::string convert(const Value& value, char type, bool zero, FormatSpec spec) {
    switch (type) {
      case 's':
        return format_value(runtime_, Value::string(escaped(value)), spec);
      case 'r':
      case 'a':
        return format_value(runtime_, Value::string(repr_text(runtime_, value)), spec);
      case 'c':
        return character(value, spec);
      case 'd':
      case 'i':
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        return integer(value, type, zero, spec);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        if (!value.is_number()) return refuse(value, type);
        spec.type = type;
        set_zero(spec, zero);
        return format_value(runtime_, value, spec);
      default:
        runtime_.fail("unsupported format character '{}'", type);
        return {};
    }
  }

  std::string integer(const Value& value, char type, bool zero, FormatSpec spec) {
    if (!value.is_number() ||
        (value.is(Kind::kFloat) && type != 'd' && type != 'i' && type != 'u')) {
      return refuse(value, type);
    }
    const double real = value.to_double();
    if (value.is(Kind::kFloat) && !(std::abs(real) < 9.2e18)) return refuse(value, type);
    const Value whole = value.is(Kind::kFloat) ? Value::integer(static_cast<int64_t>(real))
                                               : Value::integer(value.as_int());
    spec.type = type == 'i' || type == 'u' ? 'd' : type;
    spec.precision.reset();
    set_zero(spec, zero);
    return format_value(runtime_, whole, spec);
  }

  std::string character(const Value& value, const FormatSpec& spec) {
    std::string text;
    if (value.is_string() && count_chars(value.text()) == 1) {
      text = value.text();
    } else if (value.is_integral() && value.as_int() >= 0 && value.as_int() <= 0x10FFFF &&
               (value.as_int() < 0xD800 || value.as_int() > 0xDFFF)) {
      append_utf8(text, static_cast<char32_t>(value.as_int()));
    } else {
      return refuse(value, 'c');
    }
    return format_value(runtime_, Value::string(std::move(text)), spec);
  }

  std::string escaped(const Value& value) {
    std::string text = to_text(runtime_, value);
    return escapes_ && !value.is_markup() ? escape_html(text) : text;
  }

  std::string refuse(const Value& value, char type) {
    if (value.is_undefined()) {
      runtime_.fail_undefined(value);
    } else {
      runtime_.fail("%{} format: a number is required, not {}", type, type_name(value));
    }
    return {};
  }

  static void set_zero(FormatSpec& spec, bool zero) {
    if (!zero) return;
    spec.fill = '0';
    spec.align = '=';
  }

  Runtime& runtime_;
  std::string_view text_;
  const Value& values_;
  bool escapes_;
  size_t at_ = 0;
  size_t next_ = 0;
};

}  // namespace

Value format_percent(Runtime& runtime, const Value& text, const Value& values) {
  PercentFormatter formatter(runtime, text.text(), values, text.is_markup());
  std::string out = formatter.run();
  return text.is_markup() ? Value::markup(std::move(out)) : Value::string(std::move(out));
}

}  // namespace forge::text::jinja
