// The tokens of a template under the parser's hand, its bounds and its first error.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forge/base/result.h"
#include "forge/text/jinja/lexer.h"

namespace forge::text::jinja {

/// Errors are sticky, as in Runtime: the first one is kept, and from then on the current token is
/// the end of the template, so that every loop of the parser ends.
class TokenStream {
 public:
  explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  [[nodiscard]] const Token& current() const { return tokens_[at_]; }
  [[nodiscard]] const Token& ahead() const {
    return tokens_[at_ + 1 < tokens_.size() ? at_ + 1 : at_];
  }
  [[nodiscard]] int line() const { return current().line; }
  [[nodiscard]] bool at_end() const { return current().kind == TokenKind::kEnd; }
  [[nodiscard]] bool at_name(std::string_view name) const { return current().is_name(name); }
  [[nodiscard]] bool at_operator(std::string_view op) const { return current().is_operator(op); }

  /// Index of the current token, and whether a name occurs among the tokens [begin, end).
  [[nodiscard]] size_t position() const { return at_; }
  [[nodiscard]] bool has_name_between(size_t begin, size_t end, std::string_view name) const {
    for (size_t i = begin; i < end; ++i) {
      if (tokens_[i].is_name(name)) return true;
    }
    return false;
  }

  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool skip_name(std::string_view name) {
    const bool found = at_name(name);
    if (found) advance();
    return found;
  }
  bool skip_operator(std::string_view op) {
    const bool found = at_operator(op);
    if (found) advance();
    return found;
  }

  void expect_operator(std::string_view op) {
    if (!skip_operator(op)) fail("expected '{}', found {}", op, describe(current()));
  }
  void expect_name(std::string_view name) {
    if (!skip_name(name)) fail("expected '{}', found {}", name, describe(current()));
  }
  void expect(TokenKind kind) {
    if (current().kind == kind) return advance();
    Token wanted;
    wanted.kind = kind;
    fail("expected {}, found {}", describe(wanted), describe(current()));
  }
  /// Any name.
  std::string take_name(std::string_view what) {
    if (current().kind != TokenKind::kName) {
      fail("expected {}, found {}", what, describe(current()));
      return {};
    }
    std::string name = current().text;
    advance();
    return name;
  }

  template <typename... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    fail_at(line(), format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void fail_at(int line, fmt::format_string<Args...> format, Args&&... args) {
    if (error_) return;
    error_ = make_error("line {}: {}", line, fmt::format(format, std::forward<Args>(args)...));
    at_ = tokens_.size() - 1;
  }
  [[nodiscard]] bool failed() const { return error_.has_value(); }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

  /// Nesting of what is being parsed. Python's own compiler stops at 100 levels of blocks and 200
  /// of parentheses.
  bool enter() {
    if (++depth_ > kMaxNesting) fail("more than {} levels of nesting", kMaxNesting);
    return !failed();
  }
  void leave() { --depth_; }

 private:
  static constexpr int kMaxNesting = 100;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
  std::optional<Error> error_;
};

/// Counts a level of nesting for its own lifetime.
class NestingGuard {
 public:
  explicit NestingGuard(TokenStream& tokens) : tokens_(tokens), ok_(tokens.enter()) {}
  ~NestingGuard() { tokens_.leave(); }
  NestingGuard(const NestingGuard&) = delete;
  NestingGuard& operator=(const NestingGuard&) = delete;
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  TokenStream& tokens_;
  bool ok_;
};

}  // namespace forge::text::jinja
