// The expressions of interpreter.h.
#include "forge/text/jinja/access.h"
#include "forge/text/jinja/interpreter.h"
#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/text_form.h"

namespace forge::text::jinja {

Value Interpreter::evaluate(const Expr& expr, Scope* scope) {
  const DepthGuard guard(runtime_);
  if (!guard.ok() || !runtime_.step()) return Value();
  switch (expr.kind) {
    case ExprKind::kLiteral:
      return static_cast<const LiteralExpr&>(expr).value;
    case ExprKind::kName:
      return lookup(static_cast<const NameExpr&>(expr), scope);
    case ExprKind::kTuple:
      return runtime_.make_tuple(evaluate_all(static_cast<const ItemsExpr&>(expr).items, scope));
    case ExprKind::kList:
      return runtime_.make_list(evaluate_all(static_cast<const ItemsExpr&>(expr).items, scope));
    case ExprKind::kDict:
      return evaluate_dict(static_cast<const DictExpr&>(expr), scope);
    case ExprKind::kNot: {
      const Value operand = evaluate(*static_cast<const UnaryExpr&>(expr).operand, scope);
      return Value::boolean(!truth(operand));
    }
    case ExprKind::kNegate:
      return negate(runtime_, evaluate(*static_cast<const UnaryExpr&>(expr).operand, scope));
    case ExprKind::kPosit:
      return posit(runtime_, evaluate(*static_cast<const UnaryExpr&>(expr).operand, scope));
    case ExprKind::kArithmetic:
      return evaluate_arithmetic(static_cast<const ArithmeticExpr&>(expr), scope);
    case ExprKind::kLogic:
      return evaluate_logic(static_cast<const LogicExpr&>(expr), scope);
    case ExprKind::kCompare:
      return evaluate_compare(static_cast<const CompareExpr&>(expr), scope);
    case ExprKind::kConcat:
      return evaluate_concat(static_cast<const ItemsExpr&>(expr), scope);
    case ExprKind::kConditional:
      return evaluate_conditional(static_cast<const ConditionalExpr&>(expr), scope);
    case ExprKind::kAttribute: {
      const auto& node = static_cast<const AttributeExpr&>(expr);
      const Value object = evaluate(*node.object, scope);
      runtime_.set_line(node.line);
      return get_attribute(runtime_, object, node.name);
    }
    case ExprKind::kSubscript: {
      const auto& node = static_cast<const SubscriptExpr&>(expr);
      const Value object = evaluate(*node.object, scope);
      const Value key = evaluate(*node.key, scope);
      runtime_.set_line(node.line);
      return get_item(runtime_, object, key);
    }
    case ExprKind::kSlice:
      return evaluate_slice(static_cast<const SliceExpr&>(expr), scope);
    case ExprKind::kCall:
      return evaluate_call(static_cast<const CallExpr&>(expr), scope, nullptr);
    case ExprKind::kFilter:
      return evaluate_filter(static_cast<const NamedExpr&>(expr), scope, nullptr);
    case ExprKind::kTest:
      return evaluate_test(static_cast<const NamedExpr&>(expr), scope);
    case ExprKind::kNamespaceTarget:
      break;
  }
  return Value();
}

Value Interpreter::find_variable(int32_t name, const Scope* scope) const {
  for (; scope != nullptr; scope = scope->outer()) {
    if (const Value* found = scope->find(name)) return *found;
  }
  return top_level_[static_cast<size_t>(name)];
}

Value Interpreter::lookup(const NameExpr& node, Scope* scope) {
  Value found = find_variable(node.id, scope);
  if (!found.is_missing()) return found;
  return Value::undefined(
      fmt::format("'{}' is undefined", ast_.names[static_cast<size_t>(node.id)]));
}

Value Interpreter::evaluate_or(const Expr* expr, Scope* scope, const Value& absent) {
  return expr == nullptr ? absent : evaluate(*expr, scope);
}

std::vector<Value> Interpreter::evaluate_all(const std::vector<const Expr*>& exprs, Scope* scope) {
  std::vector<Value> values;
  values.reserve(exprs.size());
  for (const Expr* expr : exprs) values.push_back(evaluate(*expr, scope));
  return values;
}

Value Interpreter::evaluate_dict(const DictExpr& node, Scope* scope) {
  Value dict = runtime_.make_dict();
  runtime_.allow_elements(node.items.size());
  for (const auto& [key_expr, value_expr] : node.items) {
    const Value key = evaluate(*key_expr, scope);
    Value value = evaluate(*value_expr, scope);
    if (!is_hashable(key)) return runtime_.fail("unhashable type: '{}'", type_name(key));
    dict.dict().entries.set(key, std::move(value));
  }
  return dict;
}

Value Interpreter::evaluate_arithmetic(const ArithmeticExpr& node, Scope* scope) {
  Value left = evaluate(*node.first, scope);
  for (const auto& [op, operand] : node.rest) {
    const Value right = evaluate(*operand, scope);
    if (runtime_.failed()) return Value();
    runtime_.set_line(operand->line);
    left = binary(runtime_, op, left, right);
  }
  return left;
}

Value Interpreter::evaluate_logic(const LogicExpr& node, Scope* scope) {
  Value value;
  for (const Expr* operand : node.operands) {
    value = evaluate(*operand, scope);
    if (runtime_.failed() || truth(value) == node.is_or) break;
  }
  return value;
}

Value Interpreter::evaluate_compare(const CompareExpr& node, Scope* scope) {
  Value left = evaluate(*node.first, scope);
  for (const auto& [op, operand] : node.rest) {
    Value right = evaluate(*operand, scope);
    if (runtime_.failed()) return Value();
    runtime_.set_line(operand->line);
    if (!compare(runtime_, op, left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

Value Interpreter::evaluate_concat(const ItemsExpr& node, Scope* scope) {
  std::string text;
  for (const Expr* item : node.items) {
    append_text(runtime_, text, evaluate(*item, scope));
    if (!runtime_.allow_string(text.size())) return Value();
  }
  return Value::string(std::move(text));
}

Value Interpreter::evaluate_conditional(const ConditionalExpr& node, Scope* scope) {
  const bool is_true = truth(evaluate(*node.condition, scope));
  if (runtime_.failed()) return Value();
  if (is_true) return evaluate(*node.then, scope);
  if (node.otherwise != nullptr) return evaluate(*node.otherwise, scope);
  return Value::undefined("the value of an inline if that is false and has no else");
}

Value Interpreter::evaluate_slice(const SliceExpr& node, Scope* scope) {
  const Value object = evaluate(*node.object, scope);
  const Value start = evaluate_or(node.start, scope, Value::none());
  const Value stop = evaluate_or(node.stop, scope, Value::none());
  const Value step = evaluate_or(node.step, scope, Value::none());
  runtime_.set_line(node.line);
  return get_slice(runtime_, object, start, stop, step);
}

}  // namespace forge::text::jinja
