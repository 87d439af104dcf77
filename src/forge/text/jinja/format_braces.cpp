// The replacement-field formatting of format.h.
#include <algorithm>
#include <optional>
#include <string>

#include "forge/text/jinja/access.h"
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

/// Walks a format string with replacement fields.
class BraceFormatter {
 public:
  BraceFormatter(Runtime& runtime, const Arguments& args) : runtime_(runtime), args_(args) {}

  /// depth 1 is the specification inside a field, which may hold fields itself.
  std::string run(std::string_view text, int depth) {
    std::string out;
    for (size_t at = 0; at < text.size() && !runtime_.failed();) {
      const char c = text[at++];
      if (c != '{' && c != '}') {
        out += c;
      } else if (at < text.size() && text[at] == c) {
        out += c;
        ++at;
      } else if (c == '}') {
        runtime_.fail("single '}}' encountered in format string");
      } else {
        const size_t end = field_end(text, at);
        if (end == std::string_view::npos || depth > 1) {
          runtime_.fail("'{{' without its '}}', or nested too deeply, in format string");
          break;
        }
        out += field(text.substr(at, end - at), depth);
        at = end + 1;
        if (!runtime_.allow_string(out.size())) break;
      }
    }
    return out;
  }

 private:
  static size_t field_end(std::string_view text, size_t at) {
    for (int open = 1; at < text.size(); ++at) {
      if (text[at] == '{') ++open;
      if (text[at] == '}' && --open == 0) return at;
    }
    return std::string_view::npos;
  }

  std::string field(std::string_view text, int depth) {
    const size_t colon = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, colon);
    std::string spec_text;
    if (colon < text.size()) spec_text = run(text.substr(colon + 1), depth + 1);
    char conversion = 0;
    if (name.size() >= 2 && name[name.size() - 2] == '!') {
      conversion = name.back();
      name.remove_suffix(2);
    }
    Value value = lookup(name);
    if (runtime_.failed()) return {};
    if (conversion == 'r' || conversion == 'a') {
      value = Value::string(repr_text(runtime_, value));
    } else if (conversion == 's') {
      value = Value::string(to_text(runtime_, value));
    } else if (conversion != 0) {
      runtime_.fail("unknown conversion '!{}' in format string", conversion);
    }
    const std::optional<FormatSpec> spec = parse_format_spec(runtime_, spec_text);
    return spec ? format_value(runtime_, value, *spec) : std::string();
  }

  /// first.attribute[index]...
  Value lookup(std::string_view path) {
    size_t end = std::min(path.find_first_of(".["), path.size());
    Value value = argument(path.substr(0, end));
    while (end < path.size() && !runtime_.failed()) {
      const bool is_index = path[end] == '[';
      const size_t start = end + 1;
      if (is_index) {
        const size_t close = path.find(']', start);
        if (close == std::string_view::npos) return runtime_.fail("missing ']' in format string");
        const std::string_view key = path.substr(start, close - start);
        const std::optional<int64_t> index = parse_int(key, 10);
        value = get_item(runtime_, value, index ? Value::integer(*index) : Value::string(key));
        end = close + 1;
      } else {
        end = std::min(path.find_first_of(".[", start), path.size());
        value = get_attribute(runtime_, value, path.substr(start, end - start));
      }
    }
    return value;
  }

  Value argument(std::string_view name) {
    std::optional<int64_t> index;
    if (name.empty()) {
      index = static_cast<int64_t>(next_++);
    } else if (name[0] >= '0' && name[0] <= '9') {
      index = parse_int(name, 10);
    }
    if (index) {
      if (static_cast<size_t>(*index) < args_.positional.size()) {
        return args_.positional[static_cast<size_t>(*index)];
      }
      return runtime_.fail("replacement index {} out of range for positional arguments", *index);
    }
    for (const auto& [key, value] : args_.named) {
      if (key == name) return value;
    }
    return runtime_.fail("no argument '{}' for the format string", name);
  }

  Runtime& runtime_;
  const Arguments& args_;
  size_t next_ = 0;
};

}  // namespace

Value format_braces(Runtime& runtime, const Value& text, const Arguments& args) {
  std::string out = BraceFormatter(runtime, args).run(text.text(), 0);
  return text.is_markup() ? Value::markup(std::move(out)) : Value::string(std::move(out));
}

}  // namespace forge::text::jinja
