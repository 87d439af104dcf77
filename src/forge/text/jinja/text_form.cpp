#include "forge/text/jinja/text_form.h"

#include "forge/text/jinja/ast.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/macro.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

void append_items(Runtime& runtime, std::string& out, const std::vector<Value>& items) {
  for (size_t i = 0; i < items.size() && !runtime.failed(); ++i) {
    if (i > 0) out += ", ";
    append_repr(runtime, out, items[i]);
  }
}

void append_tuple(Runtime& runtime, std::string& out, const std::vector<Value>& items) {
  out += '(';
  append_items(runtime, out, items);
  out += items.size() == 1 ? ",)" : ")";
}

void append_dict(Runtime& runtime, std::string& out, const Dict& dict) {
  out += '{';
  bool is_first = true;
  for (const Dict::Entry& entry : dict.entries()) {
    if (runtime.failed()) return;
    if (!is_first) out += ", ";
    is_first = false;
    append_repr(runtime, out, entry.key);
    out += ": ";
    append_repr(runtime, out, entry.value);
  }
  out += '}';
}

void append_view(Runtime& runtime, std::string& out, const ViewObject& view) {
  out += view.type_name();
  out += "([";
  bool is_first = true;
  for (const Dict::Entry& entry : view.dict->entries.entries()) {
    if (runtime.failed()) return;
    if (!is_first) out += ", ";
    is_first = false;
    if (view.what == ViewObject::What::kItems) {
      append_tuple(runtime, out, {entry.key, entry.value});
    } else {
      append_repr(runtime, out, view.what == ViewObject::What::kKeys ? entry.key : entry.value);
    }
  }
  out += "])";
}

void append_range(std::string& out, const RangeObject& range) {
  out += fmt::format("range({}, {}", range.start, range.stop);
  if (range.step != 1) out += fmt::format(", {}", range.step);
  out += ')';
}

}  // namespace

void append_repr(Runtime& runtime, std::string& out, const Value& value) {
  const DepthGuard guard(runtime);
  if (!guard.ok() || !runtime.step()) return;
  if (out.size() > runtime.limits().max_string_bytes) {
    runtime.allow_string(out.size());
    return;
  }
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      out += "Undefined";
      break;
    case Kind::kNone:
      out += "None";
      break;
    case Kind::kBool:
      out += value.as_bool() ? "True" : "False";
      break;
    case Kind::kInt:
      out += std::to_string(value.as_int());
      break;
    case Kind::kFloat:
      out += float_text(value.as_float());
      break;
    case Kind::kString:
      runtime.charge_bytes(value.text().size());
      out += value.is_markup() ? "Markup(" + quoted(value.text()) + ")" : quoted(value.text());
      break;
    case Kind::kList:
      out += '[';
      append_items(runtime, out, value.sequence().items);
      out += ']';
      break;
    case Kind::kTuple:
      append_tuple(runtime, out, value.sequence().items);
      break;
    case Kind::kDict:
      append_dict(runtime, out, value.dict().entries);
      break;
    case Kind::kRange:
      append_range(out, value.range());
      break;
    case Kind::kView:
      append_view(runtime, out, value.view());
      break;
    case Kind::kNamespace:
      out += "<Namespace ";
      append_dict(runtime, out, value.space().attributes);
      out += '>';
      break;
    case Kind::kLoop:
      out +=
          fmt::format("<LoopContext {}/{}>", value.loop().index0 + 1, value.loop().length(runtime));
      break;
    case Kind::kMacro:
      out += value.macro().definition->is_anonymous()
                 ? std::string("<Macro anonymous>")
                 : fmt::format("<Macro {}>", quoted(value.macro().definition->name));
      break;
    case Kind::kFunction:
      out += fmt::format("<function {}>", value.function().name);
      break;
    case Kind::kIterator:
    case Kind::kCycler:
    case Kind::kJoiner:
      out += fmt::format("<{} object>", type_name(value));
      break;
  }
}

void append_text(Runtime& runtime, std::string& out, const Value& value) {
  if (value.is_string()) {
    if (runtime.charge_bytes(value.text().size())) out += value.text();
  } else if (!value.is_undefined() && !value.is_missing()) {
    append_repr(runtime, out, value);
  }
}

std::string to_text(Runtime& runtime, const Value& value) {
  std::string out;
  append_text(runtime, out, value);
  return out;
}

Value text_like(const Value& original, std::string text) {
  return original.is_markup() ? Value::markup(std::move(text)) : Value::string(std::move(text));
}

Value soft_text(Runtime& runtime, const Value& value) {
  return value.is_string() ? value : Value::string(to_text(runtime, value));
}

}  // namespace forge::text::jinja
