#include "forge/text/jinja/value.h"

#include "forge/base/check.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/macro.h"
#include "forge/text/jinja/objects.h"

namespace forge::text::jinja {

Value Value::boolean(bool flag) {
  Value value(Kind::kBool);
  value.scalar_.integer = flag ? 1 : 0;
  return value;
}

Value Value::integer(int64_t number) {
  Value value(Kind::kInt);
  value.scalar_.integer = number;
  return value;
}

Value Value::real(double number) {
  Value value(Kind::kFloat);
  value.scalar_.real = number;
  return value;
}

Value Value::string(std::string text) {
  return string(std::make_shared<const std::string>(std::move(text)));
}

Value Value::string(Text text) {
  Value value(Kind::kString);
  value.text_ = std::move(text);
  return value;
}

Value Value::markup(std::string text) {
  Value value = string(std::move(text));
  value.is_markup_ = true;
  return value;
}

Value Value::undefined(std::string hint) {
  Value value(Kind::kUndefined);
  value.text_ = std::make_shared<const std::string>(std::move(hint));
  return value;
}

Value Value::object(Kind kind, Object* object) {
  Value value(kind);
  value.scalar_.object = object;
  return value;
}

const std::string& Value::text() const {
  FORGE_DCHECK(kind_ == Kind::kString, "text() of a {}", type_name(*this));
  return *text_;
}

const std::string& Value::hint() const {
  static const std::string kNoHint = "the value is undefined";
  return text_ == nullptr ? kNoHint : *text_;
}

Sequence& Value::sequence() const { return *static_cast<Sequence*>(scalar_.object); }
DictObject& Value::dict() const { return *static_cast<DictObject*>(scalar_.object); }
RangeObject& Value::range() const { return *static_cast<RangeObject*>(scalar_.object); }
ViewObject& Value::view() const { return *static_cast<ViewObject*>(scalar_.object); }
IteratorObject& Value::iterator() const { return *static_cast<IteratorObject*>(scalar_.object); }
NamespaceObject& Value::space() const { return *static_cast<NamespaceObject*>(scalar_.object); }
LoopObject& Value::loop() const { return *static_cast<LoopObject*>(scalar_.object); }
MacroObject& Value::macro() const { return *static_cast<MacroObject*>(scalar_.object); }
FunctionObject& Value::function() const { return *static_cast<FunctionObject*>(scalar_.object); }
CyclerObject& Value::cycler() const { return *static_cast<CyclerObject*>(scalar_.object); }
JoinerObject& Value::joiner() const { return *static_cast<JoinerObject*>(scalar_.object); }

std::string_view type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::kMissing:
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return value.is_markup() ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kDict:
      return "dict";
    case Kind::kRange:
      return "range";
    case Kind::kView:
      return value.view().type_name();
    case Kind::kIterator:
      return "generator";
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kLoop:
      return "LoopContext";
    case Kind::kMacro:
      return "Macro";
    case Kind::kFunction:
      return "function";
    case Kind::kCycler:
      return "Cycler";
    case Kind::kJoiner:
      return "Joiner";
  }
  return "object";
}

std::string object_name(const Value& value) {
  if (value.is_none()) return "None";
  return std::string(type_name(value)) + " object";
}

}  // namespace forge::text::jinja
