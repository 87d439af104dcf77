// Template source to tokens, with Jinja's white-space rules already applied to the text between
// tags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"

namespace forge::text::jinja {

enum class TokenKind : uint8_t {
  kText,           // template text outside of tags, newlines as "\n"
  kBlockBegin,     // {%
  kBlockEnd,       // %}
  kVariableBegin,  // {{
  kVariableEnd,    // }}
  kName,           // keywords too: what they mean depends on where they stand
  kString,         // escapes resolved
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  int line = 0;
  std::string text;  // of an operator the operator itself
  int64_t integer = 0;
  double real = 0;

  [[nodiscard]] bool is_name(std::string_view name) const {
    return kind == TokenKind::kName && text == name;
  }
  [[nodiscard]] bool is_operator(std::string_view op) const {
    return kind == TokenKind::kOperator && text == op;
  }
};

/// All tokens of a template, the last one kEnd. Settings are those of the transformers library:
/// trim_blocks, lstrip_blocks, the default delimiters, and one trailing newline dropped. Errors
/// read "line 3: ...".
[[nodiscard]] Result<std::vector<Token>> tokenize(std::string_view source);

/// How an error names a token: 'endif', end of template, ...
[[nodiscard]] std::string describe(const Token& token);

}  // namespace forge::text::jinja
