// What may follow an operand: attributes, subscripts, calls, filters and tests; and targets of
// assignments.
#include "forge/text/jinja/expression_parser.h"

namespace forge::text::jinja {

const Expr* ExpressionParser::postfix(const Expr* operand) {
  while (!tokens_.failed()) {
    if (tokens_.at_operator(".") || tokens_.at_operator("[")) {
      operand = subscript(operand);
    } else if (tokens_.at_operator("(")) {
      auto* call = ast_.make<CallExpr>(tokens_.line(), operand);
      call_arguments(call->arguments);
      operand = call;
    } else {
      break;
    }
  }
  return operand;
}

const Expr* ExpressionParser::filters(const Expr* operand) {
  while (!tokens_.failed()) {
    if (tokens_.skip_operator("|")) {
      operand = filters_from_name(operand);
    } else if (tokens_.at_name("is")) {
      operand = test(operand);
    } else if (tokens_.at_operator("(")) {
      auto* call = ast_.make<CallExpr>(tokens_.line(), operand);
      call_arguments(call->arguments);
      operand = call;
    } else {
      break;
    }
  }
  return operand;
}

std::string ExpressionParser::dotted_name(std::string_view what) {
  std::string text = tokens_.take_name(what);
  while (tokens_.skip_operator(".")) {
    text += '.';
    text += tokens_.take_name(what);
  }
  return text;
}

const Expr* ExpressionParser::filters_from_name(const Expr* operand) {
  do {
    const int line = tokens_.line();
    auto* node =
        ast_.make<NamedExpr>(ExprKind::kFilter, line, operand, dotted_name("a filter's name"));
    if (tokens_.at_operator("(")) call_arguments(node->arguments);
    operand = node;
  } while (tokens_.skip_operator("|"));
  return operand;
}

const Expr* ExpressionParser::test(const Expr* operand) {
  const int line = tokens_.line();
  tokens_.expect_name("is");
  const bool is_negated = tokens_.skip_name("not");
  auto* node = ast_.make<NamedExpr>(ExprKind::kTest, line, operand, dotted_name("a test's name"));
  const Token& next = tokens_.current();
  const bool starts_operand = next.kind == TokenKind::kName || next.kind == TokenKind::kString ||
                              next.kind == TokenKind::kInteger || next.kind == TokenKind::kFloat ||
                              tokens_.at_operator("[") || tokens_.at_operator("{");
  if (tokens_.at_operator("(")) {
    call_arguments(node->arguments);
  } else if (starts_operand && !tokens_.at_name("else") && !tokens_.at_name("or") &&
             !tokens_.at_name("and")) {
    if (tokens_.at_name("is")) tokens_.fail("tests cannot be chained with 'is'");
    node->arguments.positional.push_back(postfix(primary(false)));
  }
  if (!is_negated) return node;
  return ast_.make<UnaryExpr>(ExprKind::kNot, line, node);
}

const Expr* ExpressionParser::subscript(const Expr* object) {
  const int line = tokens_.line();
  if (tokens_.skip_operator(".")) {
    const Token& token = tokens_.current();
    if (token.kind == TokenKind::kInteger) {
      const Expr* key = ast_.make<LiteralExpr>(line, Value::integer(token.integer));
      tokens_.advance();
      return ast_.make<SubscriptExpr>(line, object, key);
    }
    return ast_.make<AttributeExpr>(line, object, tokens_.take_name("a name or number after '.'"));
  }
  tokens_.expect_operator("[");
  std::vector<const Expr*> keys;
  bool is_slice = false;
  while (!tokens_.at_operator("]") && !tokens_.failed()) {
    if (!keys.empty()) tokens_.expect_operator(",");
    keys.push_back(subscript_argument(object, is_slice));
  }
  tokens_.expect_operator("]");
  if (is_slice && keys.size() > 1) tokens_.fail("a slice among several subscripts");
  if (is_slice) return keys.front();
  if (keys.size() == 1) return ast_.make<SubscriptExpr>(line, object, keys.front());
  auto* all = ast_.make<ItemsExpr>(ExprKind::kTuple, line);
  all->items = std::move(keys);
  return ast_.make<SubscriptExpr>(line, object, all);
}

/// A key, or a whole slice of the object.
const Expr* ExpressionParser::subscript_argument(const Expr* object, bool& is_slice) {
  const int line = tokens_.line();
  const Expr* start = nullptr;
  if (!tokens_.at_operator(":")) {
    start = expression();
    if (!tokens_.at_operator(":")) return start;
  }
  is_slice = true;
  auto* slice = ast_.make<SliceExpr>(line, object);
  slice->start = start;
  const auto at_bound = [this] {
    return !tokens_.at_operator(":") && !tokens_.at_operator("]") && !tokens_.at_operator(",");
  };
  tokens_.expect_operator(":");
  if (at_bound()) slice->stop = expression();
  if (tokens_.skip_operator(":") && at_bound()) slice->step = expression();
  return slice;
}

void ExpressionParser::call_arguments(CallArguments& arguments) {
  const int line = tokens_.line();
  const auto ensure = [&](bool is_valid) {
    if (!is_valid) tokens_.fail_at(line, "arguments of a call in an invalid order");
  };
  tokens_.expect_operator("(");
  bool needs_comma = false;
  while (!tokens_.at_operator(")") && !tokens_.failed()) {
    if (needs_comma) {
      tokens_.expect_operator(",");
      if (tokens_.at_operator(")")) break;
    }
    needs_comma = true;
    if (tokens_.skip_operator("*")) {
      ensure(arguments.rest == nullptr && arguments.more == nullptr);
      arguments.rest = expression();
    } else if (tokens_.skip_operator("**")) {
      ensure(arguments.more == nullptr);
      arguments.more = expression();
    } else if (tokens_.current().kind == TokenKind::kName && tokens_.ahead().is_operator("=")) {
      ensure(arguments.more == nullptr);
      std::string key = tokens_.take_name("an argument's name");
      for (const auto& named : arguments.named) {
        if (named.first == key) tokens_.fail("the argument '{}' is given twice", key);
      }
      tokens_.advance();
      arguments.named.emplace_back(std::move(key), expression());
    } else {
      ensure(arguments.rest == nullptr && arguments.more == nullptr && arguments.named.empty());
      arguments.positional.push_back(expression());
    }
  }
  tokens_.expect_operator(")");
}

const Expr* ExpressionParser::assignment_target(std::string_view end_name, bool allows_namespace) {
  const int line = tokens_.line();
  std::vector<const Expr*> targets;
  bool is_tuple = false;
  while (!tokens_.failed()) {
    if (!targets.empty()) tokens_.expect_operator(",");
    if (tokens_.current().kind == TokenKind::kBlockEnd || tokens_.at_operator("=") ||
        (!end_name.empty() && tokens_.at_name(end_name))) {
      break;
    }
    targets.push_back(primary(allows_namespace));
    check_target(targets.back());
    if (!tokens_.at_operator(",")) break;
    is_tuple = true;
  }
  if (targets.empty()) tokens_.fail("expected a name, found {}", describe(tokens_.current()));
  if (tokens_.failed()) return failed_node();
  if (!is_tuple) return targets.front();
  auto* node = ast_.make<ItemsExpr>(ExprKind::kTuple, line);
  node->items = std::move(targets);
  return node;
}

void ExpressionParser::check_target(const Expr* target) {
  if (target->kind == ExprKind::kTuple) {
    for (const Expr* item : static_cast<const ItemsExpr*>(target)->items) check_target(item);
  } else if (target->kind != ExprKind::kName && target->kind != ExprKind::kNamespaceTarget) {
    tokens_.fail_at(target->line, "only names can be assigned to");
  }
}

}  // namespace forge::text::jinja
