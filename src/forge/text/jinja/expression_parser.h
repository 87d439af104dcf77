// The expression grammar of Jinja 3.1, by recursive descent.
#pragma once

#include <string>
#include <string_view>

#include "forge/text/jinja/ast.h"
#include "forge/text/jinja/token_stream.h"

namespace forge::text::jinja {

/// Each function reads one construct at the stream's position. After an error the result is some
/// node that must not be used. Loosest to tightest:
///
///   then if c else other | or | and | not | < in ... | + - | ~ | * / // % | ** | - + unary | .x
///   [x] (x) |f
class ExpressionParser {
 public:
  /// Where a comma-separated list ends besides at "%}", "}}" and ")".
  struct TupleOptions {
    std::string_view end_name = "";  // a keyword
    bool allows_conditional = true;
    bool is_parenthesized = false;  // "()" is the empty tuple
  };

  ExpressionParser(TokenStream& tokens, Ast& ast) : tokens_(tokens), ast_(ast) {}

  const Expr* expression();
  const Expr* without_conditional() { return or_expression(); }
  /// An expression, or several with commas, which make a tuple.
  const Expr* tuple(const TupleOptions& options);
  /// A name, tuple of targets or (where allowed) a namespace attribute, to be assigned to.
  const Expr* assignment_target(std::string_view end_name, bool allows_namespace);
  /// name(...)|name(...)...: filters on operand; at the first name, not at a "|".
  const Expr* filters_from_name(const Expr* operand);
  /// (a, b, name=c, *d, **e)
  void call_arguments(CallArguments& arguments);

 private:
  const Expr* or_expression();
  const Expr* and_expression();
  const Expr* not_expression();
  const Expr* comparison();
  const Expr* sum();
  const Expr* concatenation();
  const Expr* product();
  const Expr* power();
  const Expr* unary(bool with_filters);
  const Expr* primary(bool allows_namespace);
  const Expr* name(bool allows_namespace);
  const Expr* string();
  const Expr* list();
  const Expr* dict();
  const Expr* postfix(const Expr* operand);
  const Expr* filters(const Expr* operand);
  const Expr* subscript(const Expr* object);
  const Expr* subscript_argument(const Expr* object, bool& is_slice);
  const Expr* test(const Expr* operand);
  std::string dotted_name(std::string_view what);
  void check_target(const Expr* target);
  const Expr* failed_node();

  TokenStream& tokens_;
  Ast& ast_;
};

}  // namespace forge::text::jinja
