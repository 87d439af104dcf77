#include "forge/text/jinja/expression_parser.h"

namespace forge::text::jinja {

namespace {

struct NamedOp {
  std::string_view text;
  BinaryOp op;
};

constexpr NamedOp kSums[] = {{"+", BinaryOp::kAdd}, {"-", BinaryOp::kSubtract}};
constexpr NamedOp kProducts[] = {{"*", BinaryOp::kMultiply},
                                 {"/", BinaryOp::kDivide},
                                 {"//", BinaryOp::kFloorDivide},
                                 {"%", BinaryOp::kModulo}};
constexpr NamedOp kPowers[] = {{"**", BinaryOp::kPower}};

struct NamedCompare {
  std::string_view text;
  CompareOp op;
};

constexpr NamedCompare kCompares[] = {{"==", CompareOp::kEqual},  {"!=", CompareOp::kNotEqual},
                                      {"<", CompareOp::kLess},    {"<=", CompareOp::kLessEqual},
                                      {">", CompareOp::kGreater}, {">=", CompareOp::kGreaterEqual}};

/// operand op operand op ..., flat; an operand alone where no operator follows.
template <size_t kCount, typename Operand>
const Expr* arithmetic(TokenStream& tokens, Ast& ast, const NamedOp (&ops)[kCount],
                       Operand operand) {
  const int line = tokens.line();
  const Expr* first = operand();
  ArithmeticExpr* node = nullptr;
  while (!tokens.failed()) {
    const NamedOp* found = nullptr;
    for (const NamedOp& op : ops) {
      if (tokens.at_operator(op.text)) found = &op;
    }
    if (found == nullptr) break;
    tokens.advance();
    if (node == nullptr) node = ast.make<ArithmeticExpr>(line, first);
    node->rest.emplace_back(found->op, operand());
  }
  return node == nullptr ? first : node;
}

/// operand word operand word ..., flat.
template <typename Operand>
const Expr* logic(TokenStream& tokens, Ast& ast, std::string_view word, Operand operand) {
  const int line = tokens.line();
  const Expr* first = operand();
  if (!tokens.at_name(word)) return first;
  auto* node = ast.make<LogicExpr>(line, word == "or");
  node->operands.push_back(first);
  while (tokens.skip_name(word)) node->operands.push_back(operand());
  return node;
}

}  // namespace

const Expr* ExpressionParser::failed_node() {
  return ast_.make<LiteralExpr>(tokens_.line(), Value::none());
}

const Expr* ExpressionParser::expression() {
  const NestingGuard guard(tokens_);
  if (!guard.ok()) return failed_node();
  int line = tokens_.line();
  const Expr* result = or_expression();
  while (tokens_.skip_name("if")) {
    auto* node = ast_.make<ConditionalExpr>(line);
    node->then = result;
    node->condition = or_expression();
    if (tokens_.skip_name("else")) node->otherwise = expression();
    result = node;
    line = tokens_.line();
  }
  return result;
}

const Expr* ExpressionParser::or_expression() {
  return logic(tokens_, ast_, "or", [this] { return and_expression(); });
}

const Expr* ExpressionParser::and_expression() {
  return logic(tokens_, ast_, "and", [this] { return not_expression(); });
}

const Expr* ExpressionParser::not_expression() {
  if (!tokens_.at_name("not")) return comparison();
  const NestingGuard guard(tokens_);
  if (!guard.ok()) return failed_node();
  const int line = tokens_.line();
  tokens_.advance();
  return ast_.make<UnaryExpr>(ExprKind::kNot, line, not_expression());
}

const Expr* ExpressionParser::comparison() {
  const int line = tokens_.line();
  const Expr* first = sum();
  CompareExpr* node = nullptr;
  while (!tokens_.failed()) {
    const NamedCompare* found = nullptr;
    for (const NamedCompare& compare : kCompares) {
      if (tokens_.at_operator(compare.text)) found = &compare;
    }
    CompareOp op = CompareOp::kIn;
    if (found != nullptr) {
      op = found->op;
    } else if (tokens_.at_name("not") && tokens_.ahead().is_name("in")) {
      op = CompareOp::kNotIn;
      tokens_.advance();
    } else if (!tokens_.at_name("in")) {
      break;
    }
    tokens_.advance();
    if (node == nullptr) node = ast_.make<CompareExpr>(line, first);
    node->rest.emplace_back(op, sum());
  }
  return node == nullptr ? first : node;
}

const Expr* ExpressionParser::sum() {
  return arithmetic(tokens_, ast_, kSums, [this] { return concatenation(); });
}

const Expr* ExpressionParser::concatenation() {
  const int line = tokens_.line();
  const Expr* first = product();
  if (!tokens_.at_operator("~")) return first;
  auto* node = ast_.make<ItemsExpr>(ExprKind::kConcat, line);
  node->items.push_back(first);
  while (tokens_.skip_operator("~")) node->items.push_back(product());
  return node;
}

const Expr* ExpressionParser::product() {
  return arithmetic(tokens_, ast_, kProducts, [this] { return power(); });
}

const Expr* ExpressionParser::power() {
  return arithmetic(tokens_, ast_, kPowers, [this] { return unary(true); });
}

const Expr* ExpressionParser::unary(bool with_filters) {
  const NestingGuard guard(tokens_);
  if (!guard.ok()) return failed_node();
  const int line = tokens_.line();
  const Expr* node = nullptr;
  if (tokens_.skip_operator("-")) {
    node = ast_.make<UnaryExpr>(ExprKind::kNegate, line, unary(false));
  } else if (tokens_.skip_operator("+")) {
    node = ast_.make<UnaryExpr>(ExprKind::kPosit, line, unary(false));
  } else {
    node = primary(false);
  }
  node = postfix(node);
  return with_filters ? filters(node) : node;
}

const Expr* ExpressionParser::primary(bool allows_namespace) {
  const Token& token = tokens_.current();
  const int line = token.line;
  switch (token.kind) {
    case TokenKind::kName:
      return name(allows_namespace);
    case TokenKind::kString:
      return string();
    case TokenKind::kInteger: {
      const Expr* node = ast_.make<LiteralExpr>(line, Value::integer(token.integer));
      tokens_.advance();
      return node;
    }
    case TokenKind::kFloat: {
      const Expr* node = ast_.make<LiteralExpr>(line, Value::real(token.real));
      tokens_.advance();
      return node;
    }
    case TokenKind::kOperator:
      if (tokens_.at_operator("[")) return list();
      if (tokens_.at_operator("{")) return dict();
      if (tokens_.skip_operator("(")) {
        const Expr* node = tuple({.is_parenthesized = true});
        tokens_.expect_operator(")");
        return node;
      }
      break;
    default:
      break;
  }
  tokens_.fail("expected an expression, found {}", describe(token));
  return failed_node();
}

const Expr* ExpressionParser::name(bool allows_namespace) {
  const int line = tokens_.line();
  const std::string text = tokens_.take_name("a name");
  if (text == "true" || text == "True") return ast_.make<LiteralExpr>(line, Value::boolean(true));
  if (text == "false" || text == "False") {
    return ast_.make<LiteralExpr>(line, Value::boolean(false));
  }
  if (text == "none" || text == "None") return ast_.make<LiteralExpr>(line, Value::none());
  const int32_t id = ast_.name_id(text);
  if (allows_namespace && tokens_.skip_operator(".")) {
    return ast_.make<NamespaceTargetExpr>(line, id, tokens_.take_name("an attribute's name"));
  }
  return ast_.make<NameExpr>(line, id);
}

const Expr* ExpressionParser::string() {
  const int line = tokens_.line();
  std::string text;
  for (; tokens_.current().kind == TokenKind::kString; tokens_.advance()) {
    text += tokens_.current().text;
  }
  return ast_.make<LiteralExpr>(line, Value::string(std::move(text)));
}

const Expr* ExpressionParser::list() {
  auto* node = ast_.make<ItemsExpr>(ExprKind::kList, tokens_.line());
  tokens_.expect_operator("[");
  while (!tokens_.at_operator("]") && !tokens_.failed()) {
    if (!node->items.empty()) tokens_.expect_operator(",");
    if (tokens_.at_operator("]")) break;
    node->items.push_back(expression());
  }
  tokens_.expect_operator("]");
  return node;
}

const Expr* ExpressionParser::dict() {
  auto* node = ast_.make<DictExpr>(tokens_.line());
  tokens_.expect_operator("{");
  while (!tokens_.at_operator("}") && !tokens_.failed()) {
    if (!node->items.empty()) tokens_.expect_operator(",");
    if (tokens_.at_operator("}")) break;
    const Expr* key = expression();
    tokens_.expect_operator(":");
    node->items.emplace_back(key, expression());
  }
  tokens_.expect_operator("}");
  return node;
}

const Expr* ExpressionParser::tuple(const TupleOptions& options) {
  const int line = tokens_.line();
  std::vector<const Expr*> items;
  bool is_tuple = false;
  while (!tokens_.failed()) {
    if (!items.empty()) tokens_.expect_operator(",");
    const TokenKind kind = tokens_.current().kind;
    if (kind == TokenKind::kVariableEnd || kind == TokenKind::kBlockEnd ||
        tokens_.at_operator(")") ||
        (!options.end_name.empty() && tokens_.at_name(options.end_name))) {
      break;
    }
    items.push_back(options.allows_conditional ? expression() : or_expression());
    if (!tokens_.at_operator(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !items.empty()) return items.front();
  if (!is_tuple && !options.is_parenthesized) {
    tokens_.fail("expected an expression, found {}", describe(tokens_.current()));
  }
  auto* node = ast_.make<ItemsExpr>(ExprKind::kTuple, line);
  node->items = std::move(items);
  return node;
}

}  // namespace forge::text::jinja
