#include "forge/text/jinja/parser.h"

#include <initializer_list>

#include "forge/text/jinja/expression_parser.h"
#include "forge/text/jinja/token_stream.h"

namespace forge::text::jinja {

namespace {

/// Reads statements. Every function that reads a statement starts at its keyword and stops at its
/// "%}".
class StatementParser {
 public:
  explicit StatementParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Ast> run() {
    ast_.body = block({});
    if (tokens_.failed()) return *tokens_.error();
    return std::move(ast_);
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  /// Statements up to one of the closing keywords, at which it stops; to the template's end if
  /// none.
  Block block(Names ends) {
    Block body;
    const int start = tokens_.line();
    while (!tokens_.at_end()) {
      const Token& token = tokens_.current();
      if (token.kind == TokenKind::kText) {
        body.push_back(ast_.make<TextStatement>(token.line, token.text));
        tokens_.advance();
      } else if (token.kind == TokenKind::kVariableBegin) {
        const int line = token.line;
        tokens_.advance();
        body.push_back(ast_.make<PrintStatement>(line, expressions_.tuple({})));
        tokens_.expect(TokenKind::kVariableEnd);
      } else {
        tokens_.expect(TokenKind::kBlockBegin);
        for (const std::string_view end : ends) {
          if (tokens_.at_name(end)) return body;
        }
        statement(body);
        tokens_.expect(TokenKind::kBlockEnd);
      }
    }
    if (ends.size() > 0) {
      tokens_.fail_at(start, "a block without its '{}'", *(ends.end() - 1));
    }
    return body;
  }

  /// ["%}" body "{%"] up to one of the closing keywords.
  Block body_until(Names ends) {
    tokens_.skip_operator(":");
    tokens_.expect(TokenKind::kBlockEnd);
    return block(ends);
  }
  Block body_through(std::string_view end) {
    Block body = body_until({end});
    tokens_.expect_name(end);
    return body;
  }

  void statement(Block& body) {
    const NestingGuard guard(tokens_);
    if (!guard.ok()) return;
    const int line = tokens_.line();
    const std::string keyword = tokens_.take_name("the name of a statement");
    if (tokens_.failed()) return;
    if (keyword == "if") return if_statement(body, line);
    if (keyword == "for") return for_statement(body, line);
    if (keyword == "set") return set_statement(body, line);
    if (keyword == "macro") return macro_statement(body, line);
    if (keyword == "call") return call_block(body, line);
    if (keyword == "filter") return filter_block(body, line);
    if (keyword == "with") return with_statement(body, line);
    if (keyword == "generation") return generation_block(body, line);
    if (keyword == "print") return print_statement(body, line);
    if (keyword == "break" || keyword == "continue") return jump(body, line, keyword == "break");
    for (const std::string_view known : {"extends", "include", "import", "from", "block"}) {
      if (keyword == known) {
        tokens_.fail_at(line, "'{}' needs other templates, which a chat template has not", keyword);
      }
    }
    tokens_.fail_at(line, "unknown statement '{}'", keyword);
  }

  void if_statement(Block& body, int line) {
    auto* node = ast_.make<IfStatement>(line);
    do {
      const Expr* condition = expressions_.tuple({.allows_conditional = false});
      node->branches.push_back({condition, body_until({"elif", "else", "endif"})});
    } while (tokens_.skip_name("elif"));
    if (tokens_.skip_name("else")) node->otherwise = body_until({"endif"});
    tokens_.expect_name("endif");
    body.push_back(node);
  }

  void for_statement(Block& body, int line) {
    auto* node = ast_.make<ForStatement>(line);
    node->target = expressions_.assignment_target("in", false);
    tokens_.expect_name("in");
    node->source = expressions_.tuple({.end_name = "recursive", .allows_conditional = false});
    if (tokens_.skip_name("if")) node->filter = expressions_.expression();
    node->is_recursive = tokens_.skip_name("recursive");
    const size_t first_token = tokens_.position();
    ++loop_depth_;
    node->body = body_until({"else", "endfor"});
    --loop_depth_;
    node->uses_loop =
        node->is_recursive || tokens_.has_name_between(first_token, tokens_.position(), "loop");
    if (tokens_.skip_name("else")) node->otherwise = body_until({"endfor"});
    tokens_.expect_name("endfor");
    body.push_back(node);
  }

  void set_statement(Block& body, int line) {
    const Expr* target = expressions_.assignment_target("", true);
    if (tokens_.skip_operator("=")) {
      auto* node = ast_.make<SetStatement>(line);
      node->target = target;
      node->value = expressions_.tuple({});
      body.push_back(node);
      return;
    }
    auto* node = ast_.make<SetBlockStatement>(line);
    node->target = target;
    if (tokens_.skip_operator("|")) node->filter = expressions_.filters_from_name(nullptr);
    node->body = body_through("endset");
    body.push_back(node);
  }

  /// (a, b, c=1)
  void parameters(MacroStatement& macro) {
    tokens_.expect_operator("(");
    while (!tokens_.at_operator(")") && !tokens_.failed()) {
      if (!macro.parameters.empty()) tokens_.expect_operator(",");
      std::string name = tokens_.take_name("a parameter's name");
      const bool needs_default =
          !macro.parameters.empty() && macro.parameters.back().fallback != nullptr;
      const Expr* fallback = tokens_.skip_operator("=") ? expressions_.expression() : nullptr;
      if (fallback == nullptr && needs_default) {
        tokens_.fail("the parameter '{}' needs a default, since the one before it has one", name);
      }
      const int32_t id = ast_.name_id(name);
      macro.parameters.push_back({id, std::move(name), fallback});
    }
    tokens_.expect_operator(")");
  }

  /// The body, in which break and continue do not reach a loop outside.
  void macro_body(MacroStatement& macro, std::string_view end) {
    const int loop_depth = std::exchange(loop_depth_, 0);
    const size_t first_token = tokens_.position();
    macro.body = body_through(end);
    loop_depth_ = loop_depth;
    const auto uses = [&](std::string_view name) {
      for (const MacroStatement::Parameter& parameter : macro.parameters) {
        if (parameter.name == name) return false;
      }
      return tokens_.has_name_between(first_token, tokens_.position(), name);
    };
    macro.uses_caller = uses("caller");
    macro.uses_varargs = uses("varargs");
    macro.uses_kwargs = uses("kwargs");
  }

  void macro_statement(Block& body, int line) {
    auto* node = ast_.make<MacroStatement>(line);
    node->name = tokens_.take_name("the macro's name");
    node->id = ast_.name_id(node->name);
    parameters(*node);
    macro_body(*node, "endmacro");
    body.push_back(node);
  }

  void call_block(Block& body, int line) {
    auto* caller = ast_.make<MacroStatement>(line);
    if (tokens_.at_operator("(")) parameters(*caller);
    const Expr* call = expressions_.expression();
    if (call->kind != ExprKind::kCall) tokens_.fail_at(line, "expected a call after 'call'");
    macro_body(*caller, "endcall");
    if (tokens_.failed()) return;
    auto* node = ast_.make<CallBlockStatement>(line);
    node->call = static_cast<const CallExpr*>(call);
    node->caller = caller;
    body.push_back(node);
  }

  void filter_block(Block& body, int line) {
    auto* node = ast_.make<FilterBlockStatement>(line);
    node->filter = expressions_.filters_from_name(nullptr);
    node->body = body_through("endfilter");
    body.push_back(node);
  }

  void with_statement(Block& body, int line) {
    auto* node = ast_.make<WithStatement>(line);
    while (tokens_.current().kind != TokenKind::kBlockEnd && !tokens_.failed()) {
      if (!node->variables.empty()) tokens_.expect_operator(",");
      const Expr* target = expressions_.assignment_target("", false);
      tokens_.expect_operator("=");
      node->variables.emplace_back(target, expressions_.expression());
    }
    node->body = body_through("endwith");
    body.push_back(node);
  }

  /// The transformers library marks the assistant's text with it; here it prints its body.
  void generation_block(Block& body, int line) {
    auto* node = ast_.make<WithStatement>(line);
    node->body = body_through("endgeneration");
    body.push_back(node);
  }

  void print_statement(Block& body, int line) {
    bool is_first = true;
    while (tokens_.current().kind != TokenKind::kBlockEnd && !tokens_.failed()) {
      if (!is_first) tokens_.expect_operator(",");
      is_first = false;
      body.push_back(ast_.make<PrintStatement>(line, expressions_.expression()));
    }
  }

  void jump(Block& body, int line, bool is_break) {
    if (loop_depth_ == 0) {
      tokens_.fail_at(line, "'{}' outside of a loop", is_break ? "break" : "continue");
    }
    body.push_back(ast_.make<JumpStatement>(
        is_break ? StatementKind::kBreak : StatementKind::kContinue, line));
  }

  Ast ast_;
  TokenStream tokens_;
  ExpressionParser expressions_{tokens_, ast_};
  int loop_depth_ = 0;
};

}  // namespace

Result<Ast> parse(std::string_view source) {
  if (source.size() > kMaxTemplateBytes) {
    return make_error("line 1: a template of {} bytes; the limit is {}", source.size(),
                      kMaxTemplateBytes);
  }
  FORGE_TRY(std::vector<Token> tokens, tokenize(source));
  return StatementParser(std::move(tokens)).run();
}

}  // namespace forge::text::jinja
