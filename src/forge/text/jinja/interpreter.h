// Walks the syntax tree of a template.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/text/jinja/ast.h"
#include "forge/text/jinja/objects.h"
#include "forge/text/jinja/runtime.h"
#include "forge/text/jinja/scope.h"

namespace forge::text::jinja {

/// One rendering of a template. Names are looked up from the innermost scope outwards, then among
/// the variables given, then among the global functions; a macro looks its free names up where it
/// was defined. Difference to Jinja: a variable that the top level sets only after a loop or macro
/// has read it still has its given value there, where Jinja says it is undefined.
class Interpreter {
 public:
  Interpreter(const Ast& ast, Runtime& runtime);

  /// Sets a variable of the top level; a name that the template does not use is ignored.
  void define(std::string_view name, Value value);

  /// The text. Where runtime.failed() afterwards, it is meaningless.
  std::string run();

 private:
  /// What comes after a statement: the next one, or the end of the innermost loop's body.
  enum class Flow : uint8_t { kNext, kBreak, kContinue };

  // Statements (interpreter.cpp). A null scope is the top level.
  Flow execute(const Block& block, Scope* scope);
  Flow execute(const Statement& statement, Scope* scope);
  Flow execute_if(const IfStatement& node, Scope* scope);
  Flow execute_for(const ForStatement& node, Scope* scope);
  Flow execute_set_block(const SetBlockStatement& node, Scope* scope);
  Flow execute_filter_block(const FilterBlockStatement& node, Scope* scope);
  Flow execute_with(const WithStatement& node, Scope* scope);
  void define_macro(const MacroStatement& node, Scope* scope);
  void execute_call_block(const CallBlockStatement& node, Scope* scope);
  Flow run_loop(const ForStatement& node, Scope* scope, const Value& source, int64_t depth0);
  Flow iterate(const ForStatement& node, Scope* scope, LoopObject& loop, bool& is_empty);
  bool accepts(const ForStatement& node, Scope* scope, const Value& element);
  void assign(const Expr& target, const Value& value, Scope* scope);
  void assign_items(const ItemsExpr& targets, const Value& value, Scope* scope);
  void assign_attribute(const NamespaceTargetExpr& target, const Value& value, Scope* scope);
  void print(const Value& value);
  void print(std::string_view text);

  // Expressions (evaluate.cpp).
  Value evaluate(const Expr& expr, Scope* scope);
  Value evaluate_or(const Expr* expr, Scope* scope, const Value& absent);
  Value lookup(const NameExpr& node, Scope* scope);
  [[nodiscard]] Value find_variable(int32_t name, const Scope* scope) const;
  std::vector<Value> evaluate_all(const std::vector<const Expr*>& exprs, Scope* scope);
  Value evaluate_dict(const DictExpr& node, Scope* scope);
  Value evaluate_arithmetic(const ArithmeticExpr& node, Scope* scope);
  Value evaluate_logic(const LogicExpr& node, Scope* scope);
  Value evaluate_compare(const CompareExpr& node, Scope* scope);
  Value evaluate_concat(const ItemsExpr& node, Scope* scope);
  Value evaluate_conditional(const ConditionalExpr& node, Scope* scope);
  Value evaluate_slice(const SliceExpr& node, Scope* scope);

  // Calls (call.cpp).
  Value evaluate_call(const CallExpr& node, Scope* scope, const Value* caller);
  Value evaluate_filter(const NamedExpr& node, Scope* scope, const Value* block_text);
  Value evaluate_test(const NamedExpr& node, Scope* scope);
  void evaluate_arguments(const CallArguments& node, Scope* scope, Arguments& args);
  Value call(const Value& callee, Arguments& args);
  Value call_macro(const MacroObject& macro, Arguments& args);
  bool bind_macro(const MacroStatement& macro, Arguments& args, Scope* scope);
  Value call_loop(const LoopObject& loop, Arguments& args);

  const Ast& ast_;
  Runtime& runtime_;
  std::vector<Value> top_level_;  // by name id; missing where not set
  ScopePool scopes_;
  std::string* out_ = nullptr;
};

}  // namespace forge::text::jinja
