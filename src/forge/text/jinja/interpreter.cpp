#include "forge/text/jinja/interpreter.h"

#include <algorithm>
#include <optional>

#include "forge/text/jinja/cursor.h"
#include "forge/text/jinja/globals.h"
#include "forge/text/jinja/loop.h"
#include "forge/text/jinja/macro.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

Interpreter::Interpreter(const Ast& ast, Runtime& runtime)
    : ast_(ast), runtime_(runtime), top_level_(ast.names.size(), Value::missing()) {
  for (const NamedNative& global : global_functions()) {
    define(global.name, runtime.make_function(global.name, global.call, Value()));
  }
}

void Interpreter::define(std::string_view name, Value value) {
  const int32_t id = ast_.find_name(name);
  if (id >= 0) top_level_[static_cast<size_t>(id)] = std::move(value);
}

std::string Interpreter::run() {
  std::string out;
  out_ = &out;
  execute(ast_.body, nullptr);
  return out;
}

Interpreter::Flow Interpreter::execute(const Block& block, Scope* scope) {
  for (const Statement* statement : block) {
    const Flow flow = execute(*statement, scope);
    if (runtime_.failed()) return Flow::kBreak;
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

Interpreter::Flow Interpreter::execute(const Statement& statement, Scope* scope) {
  const DepthGuard guard(runtime_);
  runtime_.set_line(statement.line);
  if (!guard.ok() || !runtime_.step()) return Flow::kBreak;
  switch (statement.kind) {
    case StatementKind::kText:
      print(static_cast<const TextStatement&>(statement).text);
      return Flow::kNext;
    case StatementKind::kPrint:
      print(evaluate(*static_cast<const PrintStatement&>(statement).value, scope));
      return Flow::kNext;
    case StatementKind::kIf:
      return execute_if(static_cast<const IfStatement&>(statement), scope);
    case StatementKind::kFor:
      return execute_for(static_cast<const ForStatement&>(statement), scope);
    case StatementKind::kSet: {
      const auto& node = static_cast<const SetStatement&>(statement);
      assign(*node.target, evaluate(*node.value, scope), scope);
      return Flow::kNext;
    }
    case StatementKind::kSetBlock:
      return execute_set_block(static_cast<const SetBlockStatement&>(statement), scope);
    case StatementKind::kMacro:
      define_macro(static_cast<const MacroStatement&>(statement), scope);
      return Flow::kNext;
    case StatementKind::kCallBlock:
      execute_call_block(static_cast<const CallBlockStatement&>(statement), scope);
      return Flow::kNext;
    case StatementKind::kFilterBlock:
      return execute_filter_block(static_cast<const FilterBlockStatement&>(statement), scope);
    case StatementKind::kWith:
      return execute_with(static_cast<const WithStatement&>(statement), scope);
    case StatementKind::kBreak:
      return Flow::kBreak;
    case StatementKind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNext;
}

void Interpreter::print(std::string_view text) {
  if (out_->size() + text.size() > runtime_.limits().max_output_bytes) {
    runtime_.fail("more than {} bytes of output", runtime_.limits().max_output_bytes);
    return;
  }
  if (runtime_.charge_bytes(text.size())) *out_ += text;
}

void Interpreter::print(const Value& value) {
  if (runtime_.failed()) return;
  if (value.is_string()) {
    print(value.text());
  } else {
    print(to_text(runtime_, value));
  }
}

Interpreter::Flow Interpreter::execute_if(const IfStatement& node, Scope* scope) {
  for (const IfStatement::Branch& branch : node.branches) {
    const bool is_true = truth(evaluate(*branch.condition, scope));
    if (runtime_.failed()) return Flow::kBreak;
    if (is_true) return execute(branch.body, scope);
  }
  return execute(node.otherwise, scope);
}

// Loops ------------------------------------------------------------------------------------------

Interpreter::Flow Interpreter::execute_for(const ForStatement& node, Scope* scope) {
  const Value source = evaluate(*node.source, scope);
  if (runtime_.failed()) return Flow::kBreak;
  return run_loop(node, scope, source, 0);
}

bool Interpreter::accepts(const ForStatement& node, Scope* scope, const Value& element) {
  const ScopeGuard inner(scopes_, scope);
  assign(*node.target, element, inner.get());
  return truth(evaluate(*node.filter, inner.get()));
}

Interpreter::Flow Interpreter::run_loop(const ForStatement& node, Scope* scope, const Value& source,
                                        int64_t depth0) {
  std::optional<Cursor> cursor = Cursor::over(runtime_, source);
  if (!cursor) return Flow::kBreak;
  // A loop object that the body can get hold of lives as long as the rendering.
  std::optional<LoopObject> unseen;
  LoopObject* loop = node.uses_loop ? runtime_.make<LoopObject>(std::move(*cursor))
                                    : &unseen.emplace(std::move(*cursor));
  loop->statement = &node;
  loop->outer = scope;
  loop->depth0 = depth0;
  if (node.is_recursive) ScopePool::capture(scope);
  if (node.filter == nullptr) {
    loop->source_length = length_of(source).value_or(-1);
  } else {
    loop->accepts = [&node, scope, this](const Value& element) {
      return accepts(node, scope, element);
    };
  }
  bool is_empty = true;
  Flow flow = iterate(node, scope, *loop, is_empty);
  loop->accepts = [](const Value&) { return false; };  // the scope that it looked into ends here
  if (is_empty && flow == Flow::kNext) {
    const ScopeGuard inner(scopes_, scope);
    flow = execute(node.otherwise, inner.get());
  }
  return flow;
}

Interpreter::Flow Interpreter::iterate(const ForStatement& node, Scope* scope, LoopObject& loop,
                                       bool& is_empty) {
  const ScopeGuard inner(scopes_, scope);
  const int32_t loop_name = node.uses_loop ? ast_.find_name("loop") : -1;
  while (loop.advance(runtime_)) {
    inner->clear();
    if (loop_name >= 0) inner->set(loop_name, Value::object(Kind::kLoop, &loop));
    assign(*node.target, loop.current, inner.get());
    const Flow flow = execute(node.body, inner.get());
    if (runtime_.failed()) return Flow::kBreak;
    // As in Jinja, the else block runs where no pass through the body came to its end.
    if (flow == Flow::kNext) is_empty = false;
    if (flow == Flow::kBreak) break;
  }
  return runtime_.failed() ? Flow::kBreak : Flow::kNext;
}

// Assignments ------------------------------------------------------------------------------------

void Interpreter::assign(const Expr& target, const Value& value, Scope* scope) {
  if (runtime_.failed()) return;
  switch (target.kind) {
    case ExprKind::kName: {
      const int32_t name = static_cast<const NameExpr&>(target).id;
      if (scope == nullptr) {
        top_level_[static_cast<size_t>(name)] = value;
      } else {
        scope->set(name, value);
      }
      return;
    }
    case ExprKind::kNamespaceTarget:
      return assign_attribute(static_cast<const NamespaceTargetExpr&>(target), value, scope);
    default:
      return assign_items(static_cast<const ItemsExpr&>(target), value, scope);
  }
}

void Interpreter::assign_items(const ItemsExpr& targets, const Value& value, Scope* scope) {
  const std::vector<Value> values = to_items(runtime_, value);
  if (runtime_.failed()) return;
  if (values.size() != targets.items.size()) {
    runtime_.fail("{} values to unpack into {} names", values.size(), targets.items.size());
    return;
  }
  for (size_t i = 0; i < values.size(); ++i) assign(*targets.items[i], values[i], scope);
}

void Interpreter::assign_attribute(const NamespaceTargetExpr& target, const Value& value,
                                   Scope* scope) {
  const Value space = find_variable(target.space, scope);
  if (!space.is(Kind::kNamespace)) {
    runtime_.fail("cannot assign to attribute '{}' of an object that is no namespace",
                  target.attribute);
    return;
  }
  if (!runtime_.allow_elements(1)) return;
  space.space().attributes.set(Value::string(target.attribute), value);
}

// Blocks -----------------------------------------------------------------------------------------

Interpreter::Flow Interpreter::execute_set_block(const SetBlockStatement& node, Scope* scope) {
  const ScopeGuard inner(scopes_, scope);
  std::string text;
  std::string* const outside = std::exchange(out_, &text);
  const Flow flow = execute(node.body, inner.get());
  out_ = outside;
  if (flow != Flow::kNext) return flow;
  Value value = Value::string(std::move(text));
  if (node.filter != nullptr) {
    value = evaluate_filter(static_cast<const NamedExpr&>(*node.filter), inner.get(), &value);
  }
  assign(*node.target, value, scope);
  return Flow::kNext;
}

Interpreter::Flow Interpreter::execute_filter_block(const FilterBlockStatement& node,
                                                    Scope* scope) {
  const ScopeGuard inner(scopes_, scope);
  std::string text;
  std::string* const outside = std::exchange(out_, &text);
  const Flow flow = execute(node.body, inner.get());
  out_ = outside;
  if (flow != Flow::kNext) return flow;
  const Value value = Value::string(std::move(text));
  print(evaluate_filter(static_cast<const NamedExpr&>(*node.filter), inner.get(), &value));
  return Flow::kNext;
}

Interpreter::Flow Interpreter::execute_with(const WithStatement& node, Scope* scope) {
  const ScopeGuard inner(scopes_, scope);
  for (const auto& [target, value] : node.variables) {
    assign(*target, evaluate(*value, scope), inner.get());
  }
  return execute(node.body, inner.get());
}

void Interpreter::define_macro(const MacroStatement& node, Scope* scope) {
  auto* macro = runtime_.make<MacroObject>();
  macro->definition = &node;
  macro->scope = scope;
  ScopePool::capture(scope);
  const Value value = Value::object(Kind::kMacro, macro);
  if (scope == nullptr) {
    top_level_[static_cast<size_t>(node.id)] = value;
  } else {
    scope->set(node.id, value);
  }
}

void Interpreter::execute_call_block(const CallBlockStatement& node, Scope* scope) {
  auto* caller = runtime_.make<MacroObject>();
  caller->definition = node.caller;
  caller->scope = scope;
  ScopePool::capture(scope);
  const Value value = Value::object(Kind::kMacro, caller);
  print(evaluate_call(*node.call, scope, &value));
}

}  // namespace forge::text::jinja
