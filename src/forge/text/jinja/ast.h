// The parsed template. Nodes are immutable once parsed and owned by the Ast; they point to each
// other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "forge/text/jinja/operators.h"
#include "forge/text/jinja/value.h"

namespace forge::text::jinja {

enum class ExprKind : uint8_t {
  kLiteral,
  kName,
  kTuple,
  kList,
  kDict,
  kNot,
  kNegate,
  kPosit,
  kArithmetic,
  kLogic,
  kCompare,
  kConcat,
  kConditional,
  kAttribute,
  kSubscript,
  kSlice,
  kCall,
  kFilter,
  kTest,
  kNamespaceTarget,
};

/// line is the 1-based line of the template that errors name.
struct Expr {
  Expr(ExprKind kind_of_node, int line_of_node) : kind(kind_of_node), line(line_of_node) {}
  Expr(const Expr&) = delete;
  Expr& operator=(const Expr&) = delete;
  virtual ~Expr() = default;
  const ExprKind kind;
  const int line;
};

struct LiteralExpr final : Expr {
  LiteralExpr(int l, Value v) : Expr(ExprKind::kLiteral, l), value(std::move(v)) {}
  Value value;  // a scalar or a string
};

struct NameExpr final : Expr {
  NameExpr(int l, int32_t i) : Expr(ExprKind::kName, l), id(i) {}
  int32_t id;  // in Ast::names
};

/// Tuples and lists; the parts of `a ~ b ~ c`.
struct ItemsExpr final : Expr {
  ItemsExpr(ExprKind k, int l) : Expr(k, l) {}
  std::vector<const Expr*> items;
};

struct DictExpr final : Expr {
  explicit DictExpr(int l) : Expr(ExprKind::kDict, l) {}
  std::vector<std::pair<const Expr*, const Expr*>> items;
};

/// not, -, +
struct UnaryExpr final : Expr {
  UnaryExpr(ExprKind k, int l, const Expr* o) : Expr(k, l), operand(o) {}
  const Expr* operand;
};

/// first op operand op operand ..., from left to right: a flat list, so that a long sum is not
/// deep.
struct ArithmeticExpr final : Expr {
  ArithmeticExpr(int l, const Expr* f) : Expr(ExprKind::kArithmetic, l), first(f) {}
  const Expr* first;
  std::vector<std::pair<BinaryOp, const Expr*>> rest;
};

/// a and b and c, or a or b or c.
struct LogicExpr final : Expr {
  LogicExpr(int l, bool o) : Expr(ExprKind::kLogic, l), is_or(o) {}
  bool is_or;
  std::vector<const Expr*> operands;
};

/// a < b <= c: each operand is evaluated once.
struct CompareExpr final : Expr {
  CompareExpr(int l, const Expr* f) : Expr(ExprKind::kCompare, l), first(f) {}
  const Expr* first;
  std::vector<std::pair<CompareOp, const Expr*>> rest;
};

/// then if condition else otherwise; without else (null) an undefined value.
struct ConditionalExpr final : Expr {
  explicit ConditionalExpr(int l) : Expr(ExprKind::kConditional, l) {}
  const Expr* condition = nullptr;
  const Expr* then = nullptr;
  const Expr* otherwise = nullptr;
};

struct AttributeExpr final : Expr {
  AttributeExpr(int l, const Expr* o, std::string n)
      : Expr(ExprKind::kAttribute, l), object(o), name(std::move(n)) {}
  const Expr* object;
  std::string name;
};

struct SubscriptExpr final : Expr {
  SubscriptExpr(int l, const Expr* o, const Expr* k)
      : Expr(ExprKind::kSubscript, l), object(o), key(k) {}
  const Expr* object;
  const Expr* key;
};

/// object[start:stop:step]; null bounds are none.
struct SliceExpr final : Expr {
  SliceExpr(int l, const Expr* o) : Expr(ExprKind::kSlice, l), object(o) {}
  const Expr* object;
  const Expr* start = nullptr;
  const Expr* stop = nullptr;
  const Expr* step = nullptr;
};

/// (a, b, *rest, name=c, **more)
struct CallArguments {
  std::vector<const Expr*> positional;
  std::vector<std::pair<std::string, const Expr*>> named;
  const Expr* rest = nullptr;
  const Expr* more = nullptr;
};

struct CallExpr final : Expr {
  CallExpr(int l, const Expr* c) : Expr(ExprKind::kCall, l), callee(c) {}
  const Expr* callee;
  CallArguments arguments;
};

/// operand | name(...), or operand is name(...). A null operand is the body of a filter block.
struct NamedExpr final : Expr {
  NamedExpr(ExprKind k, int l, const Expr* o, std::string n)
      : Expr(k, l), operand(o), name(std::move(n)) {}
  const Expr* operand;
  std::string name;
  CallArguments arguments;
};

/// space.attribute, as the target of a set statement only.
struct NamespaceTargetExpr final : Expr {
  NamespaceTargetExpr(int l, int32_t s, std::string a)
      : Expr(ExprKind::kNamespaceTarget, l), space(s), attribute(std::move(a)) {}
  int32_t space;
  std::string attribute;
};

enum class StatementKind : uint8_t {
  kText,
  kPrint,
  kIf,
  kFor,
  kSet,
  kSetBlock,
  kMacro,
  kCallBlock,
  kFilterBlock,
  kWith,
  kBreak,
  kContinue,
};

struct Statement {
  Statement(StatementKind kind_of_node, int line_of_node)
      : kind(kind_of_node), line(line_of_node) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  virtual ~Statement() = default;
  const StatementKind kind;
  const int line;
};

using Block = std::vector<const Statement*>;

struct TextStatement final : Statement {
  TextStatement(int l, std::string t) : Statement(StatementKind::kText, l), text(std::move(t)) {}
  std::string text;
};

struct PrintStatement final : Statement {
  PrintStatement(int l, const Expr* v) : Statement(StatementKind::kPrint, l), value(v) {}
  const Expr* value;
};

struct IfStatement final : Statement {
  explicit IfStatement(int l) : Statement(StatementKind::kIf, l) {}
  struct Branch {
    const Expr* condition;
    Block body;
  };
  std::vector<Branch> branches;  // if, elif, ...
  Block otherwise;
};

struct ForStatement final : Statement {
  explicit ForStatement(int l) : Statement(StatementKind::kFor, l) {}
  const Expr* target = nullptr;
  const Expr* source = nullptr;
  const Expr* filter = nullptr;  // null where there is none
  bool is_recursive = false;
  bool uses_loop = false;  // the name `loop` occurs in the body
  Block body;
  Block otherwise;
};

/// A set statement's target is a name, a namespace attribute, or a tuple of targets.
struct SetStatement final : Statement {
  explicit SetStatement(int l) : Statement(StatementKind::kSet, l) {}
  const Expr* target = nullptr;
  const Expr* value = nullptr;
};

struct SetBlockStatement final : Statement {
  explicit SetBlockStatement(int l) : Statement(StatementKind::kSetBlock, l) {}
  const Expr* target = nullptr;
  const Expr* filter = nullptr;  // chain of filters on the body's text, or null
  Block body;
};

/// A macro; without a name, the body of a call block.
struct MacroStatement final : Statement {
  explicit MacroStatement(int l) : Statement(StatementKind::kMacro, l) {}
  struct Parameter {
    int32_t id;
    std::string name;
    const Expr* fallback;  // null where the parameter has no default
  };
  std::string name;
  int32_t id = -1;
  std::vector<Parameter> parameters;
  bool uses_caller = false;
  bool uses_varargs = false;
  bool uses_kwargs = false;
  Block body;

  [[nodiscard]] bool is_anonymous() const { return id < 0; }
};

struct CallBlockStatement final : Statement {
  explicit CallBlockStatement(int l) : Statement(StatementKind::kCallBlock, l) {}
  const CallExpr* call = nullptr;
  const MacroStatement* caller = nullptr;
};

struct FilterBlockStatement final : Statement {
  explicit FilterBlockStatement(int l) : Statement(StatementKind::kFilterBlock, l) {}
  const Expr* filter = nullptr;
  Block body;
};

/// Also a generation block, which only opens a scope.
struct WithStatement final : Statement {
  explicit WithStatement(int l) : Statement(StatementKind::kWith, l) {}
  std::vector<std::pair<const Expr*, const Expr*>> variables;  // target, value
  Block body;
};

/// break and continue.
struct JumpStatement final : Statement {
  JumpStatement(StatementKind k, int l) : Statement(k, l) {}
};

/// Owns the nodes of a template and gives its variable names numbers.
class Ast {
 public:
  template <typename T, typename... Args>
  T* make(Args&&... args) {
    auto owned = std::make_unique<T>(std::forward<Args>(args)...);
    T* node = owned.get();
    if constexpr (std::is_base_of_v<Expr, T>) {
      exprs_.push_back(std::move(owned));
    } else {
      statements_.push_back(std::move(owned));
    }
    return node;
  }

  int32_t name_id(std::string_view name) {
    const auto [found, is_new] =
        ids_.try_emplace(std::string(name), static_cast<int32_t>(names.size()));
    if (is_new) names.push_back(found->first);
    return found->second;
  }

  /// The number of a name that the template uses, or -1.
  [[nodiscard]] int32_t find_name(std::string_view name) const {
    const auto found = ids_.find(std::string(name));
    return found == ids_.end() ? -1 : found->second;
  }

  std::vector<std::string> names;  // by id
  Block body;

 private:
  std::vector<std::unique_ptr<Expr>> exprs_;
  std::vector<std::unique_ptr<Statement>> statements_;
  std::unordered_map<std::string, int32_t> ids_;
};

}  // namespace forge::text::jinja
