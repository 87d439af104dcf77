#include "forge/text/jinja/json_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "forge/base/utf8.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

void append_unit(std::string& out, uint32_t unit) { out += fmt::format("\\u{:04x}", unit); }

void append_string(std::string& out, std::string_view text, bool ensure_ascii) {
  out += '"';
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      ++at;
      switch (c) {
        case '"':
          out += "\\\"";
          break;
        case '\\':
          out += "\\\\";
          break;
        case '\n':
          out += "\\n";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\t':
          out += "\\t";
          break;
        case '\f':
          out += "\\f";
          break;
        case '\b':
          out += "\\b";
          break;
        default:
          if (byte < 0x20 || (byte == 0x7F && ensure_ascii)) {
            append_unit(out, byte);
          } else {
            out += c;
          }
      }
      continue;
    }
    const Utf8Char decoded = decode_utf8(text, at);
    const auto length = static_cast<size_t>(decoded.length);
    if (!ensure_ascii) {
      out += text.substr(at, length);
    } else if (decoded.code_point < 0x10000) {
      append_unit(out, decoded.code_point);
    } else {
      append_unit(out, 0xD7C0 + (decoded.code_point >> 10));
      append_unit(out, 0xDC00 + (decoded.code_point & 0x3FF));
    }
    at += length;
  }
  out += '"';
}

std::string json_float(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-Infinity" : "Infinity";
  return float_text(number);
}

class JsonPrinter {
 public:
  JsonPrinter(Runtime& runtime, const JsonStyle& style) : runtime_(runtime), style_(style) {}

  void print(const Value& value) {
    const DepthGuard guard(runtime_);
    if (!guard.ok() || !runtime_.step()) return;
    if (out_.size() > runtime_.limits().max_string_bytes) runtime_.allow_string(out_.size());
    switch (value.kind()) {
      case Kind::kNone:
        out_ += "null";
        break;
      case Kind::kBool:
        out_ += value.as_bool() ? "true" : "false";
        break;
      case Kind::kInt:
        out_ += std::to_string(value.as_int());
        break;
      case Kind::kFloat:
        out_ += json_float(value.as_float());
        break;
      case Kind::kString:
        runtime_.charge_bytes(value.text().size());
        append_string(out_, value.text(), style_.ensure_ascii);
        break;
      case Kind::kList:
      case Kind::kTuple:
        print_list(value.sequence().items);
        break;
      case Kind::kDict:
        print_dict(value.dict().entries);
        break;
      default:
        runtime_.fail("object of type {} is not JSON serializable", type_name(value));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void print_list(const std::vector<Value>& items) {
    out_ += '[';
    ++level_;
    for (size_t i = 0; i < items.size() && !runtime_.failed(); ++i) {
      separate(i == 0);
      print(items[i]);
    }
    close(!items.empty());
    out_ += ']';
  }

  void print_dict(const Dict& dict) {
    std::vector<const Dict::Entry*> order;
    order.reserve(dict.size());
    for (const Dict::Entry& entry : dict.entries()) order.push_back(&entry);
    if (style_.sort_keys) {
      std::stable_sort(order.begin(), order.end(), [this](const auto* a, const auto* b) {
        return less(runtime_, a->key, b->key);
      });
    }
    out_ += '{';
    ++level_;
    for (size_t i = 0; i < order.size() && !runtime_.failed(); ++i) {
      separate(i == 0);
      print_key(order[i]->key);
      out_ += style_.key_separator;
      print(order[i]->value);
    }
    close(!order.empty());
    out_ += '}';
  }

  void print_key(const Value& key) {
    if (key.is_string()) return append_string(out_, key.text(), style_.ensure_ascii);
    if (!key.is_number() && !key.is_none()) {
      runtime_.fail("JSON keys must be strings, numbers, booleans or none, not {}", type_name(key));
      return;
    }
    out_ += '"';
    print(key);
    out_ += '"';
  }

  void separate(bool is_first) {
    if (!is_first) out_ += style_.item_separator;
    if (style_.indent) start_line();
  }

  void close(bool has_items) {
    --level_;
    if (has_items && style_.indent) start_line();
  }

  void start_line() {
    out_ += '\n';
    for (int i = 0; i < level_; ++i) out_ += *style_.indent;
  }

  Runtime& runtime_;
  const JsonStyle& style_;
  std::string out_;
  int level_ = 0;
};

}  // namespace

std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  JsonPrinter printer(runtime, style);
  printer.print(value);
  return printer.take();
}

Value from_json(Runtime& runtime, const json::Value& node) {
  if (node.is_missing()) return Value::missing();
  const DepthGuard guard(runtime);
  if (!guard.ok()) return Value();
  switch (node.kind()) {
    case json::Kind::kNull:
      return Value::none();
    case json::Kind::kBool:
      return Value::boolean(*node.as_bool());
    case json::Kind::kNumber: {
      // Python keeps 1 and 1.0 apart; as_int() does not.
      const bool is_real = node.dump().find_first_of(".eE") != std::string::npos;
      const auto integer = node.as_int();
      if (integer && !is_real) return Value::integer(*integer);
      return Value::real(*node.as_double());
    }
    case json::Kind::kString:
      return Value::string(*node.as_string());
    case json::Kind::kArray: {
      std::vector<Value> items;
      items.reserve(node.size());
      for (size_t i = 0; i < node.size() && !runtime.failed(); ++i) {
        items.push_back(from_json(runtime, node.at(i)));
      }
      return runtime.make_list(std::move(items));
    }
    case json::Kind::kObject: {
      Value dict = runtime.make_dict();
      if (!runtime.allow_elements(node.size())) return dict;
      for (size_t i = 0; i < node.size() && !runtime.failed(); ++i) {
        dict.dict().entries.set(Value::string(node.key_at(i)),
                                from_json(runtime, node.member_at(i)));
      }
      return dict;
    }
  }
  return Value();
}

}  // namespace forge::text::jinja
