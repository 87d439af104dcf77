// Calls of functions, methods, macros, filters and tests, for interpreter.h.
#include <algorithm>
#include <optional>

#include "forge/text/jinja/access.h"
#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/filters.h"
#include "forge/text/jinja/interpreter.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/macro.h"
#include "forge/text/jinja/methods.h"
#include "forge/text/jinja/tests.h"

namespace forge::text::jinja {

namespace {

/// Takes a named argument out of the list.
std::optional<Value> take_named(Arguments& args, std::string_view name) {
  const auto found = std::find_if(args.named.begin(), args.named.end(),
                                  [name](const auto& named) { return named.first == name; });
  if (found == args.named.end()) return std::nullopt;
  Value value = std::move(found->second);
  args.named.erase(found);
  return value;
}

}  // namespace

Value macro_attribute(Runtime& runtime, const MacroObject& macro, std::string_view name) {
  if (name == "name") return Value::string(macro.definition->name);
  if (name != "arguments") return Value::missing();
  std::vector<Value> names;
  for (const auto& parameter : macro.definition->parameters) {
    names.push_back(Value::string(parameter.name));
  }
  return runtime.make_tuple(std::move(names));
}

void Interpreter::evaluate_arguments(const CallArguments& node, Scope* scope, Arguments& args) {
  args.positional = evaluate_all(node.positional, scope);
  for (const auto& named : node.named) {
    args.named.emplace_back(named.first, evaluate(*named.second, scope));
  }
  if (node.rest != nullptr) {
    for (Value& value : to_items(runtime_, evaluate(*node.rest, scope))) {
      args.positional.push_back(std::move(value));
    }
  }
  if (node.more == nullptr) return;
  const Value more = evaluate(*node.more, scope);
  if (runtime_.failed()) return;
  if (!more.is(Kind::kDict)) {
    runtime_.fail("argument after ** must be a mapping, not {}", type_name(more));
    return;
  }
  for (const Dict::Entry& entry : more.dict().entries.entries()) {
    if (!entry.key.is_string()) {
      runtime_.fail("keywords must be strings");
      return;
    }
    args.named.emplace_back(entry.key.text(), entry.value);
  }
}

Value Interpreter::evaluate_call(const CallExpr& node, Scope* scope, const Value* caller) {
  Arguments args;
  const Method* method = nullptr;
  Value callee;
  if (node.callee->kind == ExprKind::kAttribute) {
    const auto& attribute = static_cast<const AttributeExpr&>(*node.callee);
    callee = evaluate(*attribute.object, scope);
    runtime_.set_line(attribute.line);
    method = find_method(callee.kind(), attribute.name);
    if (method == nullptr || method->is_property) {
      method = nullptr;
      callee = get_attribute(runtime_, callee, attribute.name);
    }
  } else {
    callee = evaluate(*node.callee, scope);
  }
  evaluate_arguments(node.arguments, scope, args);
  if (caller != nullptr) args.named.emplace_back("caller", *caller);
  if (runtime_.failed()) return Value();
  runtime_.set_line(node.line);
  return method != nullptr ? method->call(runtime_, callee, args) : call(callee, args);
}

Value Interpreter::call(const Value& callee, Arguments& args) {
  switch (callee.kind()) {
    case Kind::kFunction:
      return callee.function().call(runtime_, callee.function().self, args);
    case Kind::kMacro:
      return call_macro(callee.macro(), args);
    case Kind::kLoop:
      return call_loop(callee.loop(), args);
    case Kind::kJoiner: {
      JoinerObject& joiner = callee.joiner();
      return std::exchange(joiner.is_used, true) ? joiner.separator : Value::string("");
    }
    case Kind::kUndefined:
      return runtime_.fail_undefined(callee);
    default:
      return runtime_.fail("'{}' object is not callable", type_name(callee));
  }
}

Value Interpreter::call_loop(const LoopObject& loop, Arguments& args) {
  if (!loop.statement->is_recursive) {
    return runtime_.fail("only a loop marked 'recursive' can be called");
  }
  if (args.positional.size() != 1 || !args.named.empty()) {
    return runtime_.fail("loop() takes one argument");
  }
  std::string text;
  std::string* const outside = std::exchange(out_, &text);
  run_loop(*loop.statement, loop.outer, args.positional[0], loop.depth0 + 1);
  out_ = outside;
  return Value::string(std::move(text));
}

bool Interpreter::bind_macro(const MacroStatement& macro, Arguments& args, Scope* scope) {
  const size_t n_parameters = macro.parameters.size();
  const size_t n_given = std::min(args.positional.size(), n_parameters);
  std::vector<bool> is_set(n_parameters, false);
  for (size_t i = 0; i < n_parameters; ++i) {
    const MacroStatement::Parameter& parameter = macro.parameters[i];
    std::optional<Value> value;
    if (i < n_given) {
      value = std::move(args.positional[i]);
    } else {
      value = take_named(args, parameter.name);
    }
    is_set[i] = value.has_value();
    if (value) scope->set(parameter.id, std::move(*value));
  }
  if (macro.uses_caller) {
    std::optional<Value> caller = take_named(args, "caller");
    scope->set(ast_.find_name("caller"),
               caller ? std::move(*caller) : Value::undefined("No caller defined"));
  }
  if (macro.uses_kwargs) {
    const Value rest = runtime_.make_dict();
    for (auto& [name, value] : args.named) {
      rest.dict().entries.set(Value::string(name), std::move(value));
    }
    scope->set(ast_.find_name("kwargs"), rest);
  } else if (!args.named.empty()) {
    runtime_.fail("macro '{}' takes no keyword argument '{}'", macro.name, args.named[0].first);
    return false;
  }
  std::vector<Value> rest(args.positional.begin() + static_cast<std::ptrdiff_t>(n_given),
                          args.positional.end());
  if (macro.uses_varargs) {
    scope->set(ast_.find_name("varargs"), runtime_.make_tuple(std::move(rest)));
  } else if (!rest.empty()) {
    runtime_.fail("macro '{}' takes not more than {} argument(s)", macro.name, n_parameters);
    return false;
  }
  for (size_t i = 0; i < n_parameters; ++i) {
    const MacroStatement::Parameter& parameter = macro.parameters[i];
    if (is_set[i]) continue;
    scope->set(parameter.id, parameter.fallback != nullptr
                                 ? evaluate(*parameter.fallback, scope)
                                 : Value::undefined(fmt::format("parameter '{}' was not provided",
                                                                parameter.name)));
  }
  return !runtime_.failed();
}

Value Interpreter::call_macro(const MacroObject& macro, Arguments& args) {
  const ScopeGuard scope(scopes_, macro.scope);
  if (!bind_macro(*macro.definition, args, scope.get())) return Value();
  std::string text;
  std::string* const outside = std::exchange(out_, &text);
  execute(macro.definition->body, scope.get());
  out_ = outside;
  return Value::string(std::move(text));
}

Value Interpreter::evaluate_filter(const NamedExpr& node, Scope* scope, const Value* block_text) {
  Value operand;
  if (node.operand == nullptr) {
    if (block_text != nullptr) operand = *block_text;
  } else if (block_text != nullptr) {  // further up the chain of a block's filters
    operand = evaluate_filter(static_cast<const NamedExpr&>(*node.operand), scope, block_text);
  } else {
    operand = evaluate(*node.operand, scope);
  }
  Arguments args;
  evaluate_arguments(node.arguments, scope, args);
  if (runtime_.failed()) return Value();
  runtime_.set_line(node.line);
  const Native filter = find_filter(node.name);
  if (filter == nullptr) return runtime_.fail("no filter named '{}'", node.name);
  return filter(runtime_, operand, args);
}

Value Interpreter::evaluate_test(const NamedExpr& node, Scope* scope) {
  const Value operand = evaluate(*node.operand, scope);
  Arguments args;
  evaluate_arguments(node.arguments, scope, args);
  if (runtime_.failed()) return Value();
  runtime_.set_line(node.line);
  const Test test = find_test(node.name);
  if (test == nullptr) return runtime_.fail("no test named '{}'", node.name);
  return Value::boolean(test(runtime_, operand, args));
}

}  // namespace forge::text::jinja
