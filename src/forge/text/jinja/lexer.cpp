#include "forge/text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "forge/base/utf8.h"
#include "forge/text/jinja/letter_case.h"
#include "forge/text/jinja/python_text.h"
#include "forge/text/jinja/string_literal.h"

namespace forge::text::jinja {

namespace {

constexpr size_t kNone = std::string_view::npos;

std::string normalize_newlines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalize_newlines(source)), rest_(source_) {}

  Result<std::vector<Token>> run() {
    while (at_ < rest_.size() && !error_) {
      const size_t tag = next_tag();
      if (tag == kNone) {
        push_text(rest_.substr(at_));
        break;
      }
      tag_at(tag);
    }
    if (error_) return *error_;
    push(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  // Text between tags ----------------------------------------------------------------------------

  /// Position of the next "{{", "{%" or "{#".
  [[nodiscard]] size_t next_tag() const {
    for (size_t brace = rest_.find('{', at_); brace != kNone; brace = rest_.find('{', brace + 1)) {
      if (brace + 1 >= rest_.size()) return kNone;
      const char next = rest_[brace + 1];
      if (next == '{' || next == '%' || next == '#') return brace;
    }
    return kNone;
  }

  /// The text before a tag, cut as the tag's sign and lstrip_blocks ask for.
  [[nodiscard]] std::string_view text_before(size_t tag, char sign, bool is_variable) const {
    std::string_view text = rest_.substr(at_, tag - at_);
    if (sign == '-') return strip(text, Side::kRight);
    if (sign == '+' || is_variable) return text;
    const size_t newline = text.rfind('\n');
    const size_t line_start = newline == kNone ? 0 : newline + 1;
    if (newline == kNone && !at_line_start_) return text;
    if (!strip(text.substr(line_start), Side::kBoth).empty()) return text;
    return text.substr(0, line_start);
  }

  char sign_at(size_t at) const {
    return at < rest_.size() && (rest_[at] == '-' || rest_[at] == '+') ? rest_[at] : char{0};
  }

  void tag_at(size_t tag) {
    const char type = rest_[tag + 1];
    const char sign = sign_at(tag + 2);
    push_text(text_before(tag, sign, type == '{'));
    move_to(tag + (sign == 0 ? 2 : 3));
    if (type == '#') return comment();
    if (type == '%') {
      if (const size_t end = after_raw_tag(at_, "raw", false)) return raw(end);
      push(TokenKind::kBlockBegin, "");
    } else {
      push(TokenKind::kVariableBegin, "");
    }
    expression(type == '{');
  }

  /// Skips `-%}` and the white space after it, or `%}` (and a newline where trims), or `+%}`.
  std::optional<size_t> after_close(size_t at, std::string_view close, bool trims,
                                    bool plus) const {
    const char sign = sign_at(at);
    const size_t start = sign == 0 ? at : at + 1;
    if (rest_.substr(start, close.size()) != close || (sign == '+' && !plus)) return std::nullopt;
    size_t end = start + close.size();
    if (sign == '-') return rest_.size() - strip(rest_.substr(end), Side::kLeft).size();
    if (sign == 0 && trims && end < rest_.size() && rest_[end] == '\n') ++end;
    return end;
  }

  void comment() {
    const size_t end = rest_.find("#}", at_);
    if (end == kNone) return fail("a comment without its '#}}'");
    const bool has_sign = end > at_ && sign_at(end - 1) != 0;
    move_to(*after_close(has_sign ? end - 1 : end, "#}", true, true));
  }

  /// The end of ` raw %}` (or endraw) at a position, or 0 where something else stands there.
  size_t after_raw_tag(size_t at, std::string_view name, bool trims) const {
    at = rest_.size() - strip(rest_.substr(at), Side::kLeft).size();
    if (rest_.substr(at, name.size()) != name) return 0;
    at += name.size();
    at = rest_.size() - strip(rest_.substr(at), Side::kLeft).size();
    return after_close(at, "%}", trims, trims).value_or(0);
  }

  void raw(size_t content) {
    move_to(content);
    for (size_t tag = rest_.find("{%", at_); tag != kNone; tag = rest_.find("{%", tag + 1)) {
      const char sign = sign_at(tag + 2);
      const size_t end = after_raw_tag(tag + (sign == 0 ? 2 : 3), "endraw", true);
      if (end == 0) continue;
      push_text(text_before(tag, sign, false));
      move_to(end);
      return;
    }
    fail("a raw block without its endraw");
  }

  // Inside tags ----------------------------------------------------------------------------------

  void expression(bool is_variable) {
    std::string open;  // the closing brackets that are due
    while (!error_) {
      const std::string_view rest = rest_.substr(at_);
      const size_t skipped = rest.size() - strip(rest, Side::kLeft).size();
      if (open.empty()) {
        const std::string_view close = is_variable ? "}}" : "%}";
        const auto end = after_close(at_ + skipped, close, !is_variable, !is_variable);
        if (end) {
          move_to(at_ + skipped);
          push(is_variable ? TokenKind::kVariableEnd : TokenKind::kBlockEnd, "");
          move_to(*end);
          return;
        }
      }
      move_to(at_ + skipped);
      if (at_ >= rest_.size()) return;  // the parser names what is missing
      token(open);
    }
  }

  void token(std::string& open) {
    const char c = rest_[at_];
    if (is_digit(c)) return number();
    if (c == '"' || c == '\'') return string(c);
    if (const size_t length = name_length()) {
      push(TokenKind::kName, rest_.substr(at_, length));
      return move_to(at_ + length);
    }
    constexpr std::array<std::string_view, 7> kLong = {"//", "**", "==", "!=", ">=", "<=", ""};
    constexpr std::string_view kShort = "+-/*%~[](){}><=.:|,;";
    const std::string_view two = rest_.substr(at_, 2);
    std::string_view op = *std::find_if(kLong.begin(), kLong.end() - 1,
                                        [two](std::string_view known) { return known == two; });
    if (op.empty() && kShort.find(c) != kNone) op = rest_.substr(at_, 1);
    if (op.empty()) {
      return fail("unexpected character {}",
                  quoted(rest_.substr(at_, static_cast<size_t>(decode_utf8(rest_, at_).length))));
    }
    if (c == '(') open += ')';
    if (c == '[') open += ']';
    if (c == '{') open += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty()) return fail("unexpected '{}'", c);
      if (open.back() != c) return fail("unexpected '{}', expected '{}'", c, open.back());
      open.pop_back();
    }
    push(TokenKind::kOperator, op);
    move_to(at_ + op.size());
  }

  [[nodiscard]] size_t name_length() const {
    size_t end = at_;
    while (end < rest_.size()) {
      const Utf8Char c = decode_utf8(rest_, end);
      if (!is_word(c.code_point)) break;
      end += static_cast<size_t>(c.length);
    }
    return end - at_;
  }

  /// End of digits with single underscores between them, from a digit on.
  [[nodiscard]] size_t digits_end(size_t at) const {
    while (at < rest_.size() &&
           (is_digit(rest_[at]) ||
            (rest_[at] == '_' && at + 1 < rest_.size() && is_digit(rest_[at + 1])))) {
      ++at;
    }
    return at;
  }

  void number() {
    const std::string_view rest = rest_.substr(at_);
    if (rest.size() > 2 && rest[0] == '0' && std::string_view("xXoObB").find(rest[1]) != kNone) {
      const size_t length = name_length();
      if (const auto value = parse_int(rest.substr(0, length), 0)) return integer(length, *value);
    }
    size_t end = digits_end(at_);
    bool is_float = false;
    const bool after_dot = at_ > 0 && rest_[at_ - 1] == '.';
    if (!after_dot && end + 1 < rest_.size() && rest_[end] == '.' && is_digit(rest_[end + 1])) {
      is_float = true;
      end = digits_end(end + 1);
    }
    if (!after_dot && end < rest_.size() && (rest_[end] == 'e' || rest_[end] == 'E')) {
      const size_t digits = end + (sign_at(end + 1) != 0 ? 2 : 1);
      if (digits < rest_.size() && is_digit(rest_[digits])) {
        is_float = true;
        end = digits_end(digits);
      }
    }
    const std::string_view text = rest_.substr(at_, end - at_);
    if (is_float) {
      push(TokenKind::kFloat, text);
      tokens_.back().real = parse_float(text).value_or(0);
      return move_to(end);
    }
    const auto value = parse_int(text, 10);
    if (!value) return fail("the integer {} does not fit 64 bits", text);
    integer(text.size(), *value);
  }

  void integer(size_t length, int64_t value) {
    push(TokenKind::kInteger, rest_.substr(at_, length));
    tokens_.back().integer = value;
    move_to(at_ + length);
  }

  void string(char quote) {
    size_t end = at_ + 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return fail("a string without its closing {}", quote);
    Result<std::string> content = unescape(rest_.substr(at_ + 1, end - at_ - 1));
    if (!content.ok()) return fail("{}", content.error().message);
    push(TokenKind::kString, *content);
    move_to(end + 1);
  }

  // Shared ---------------------------------------------------------------------------------------

  void push(TokenKind kind, std::string_view text) {
    Token token;
    token.kind = kind;
    token.line = line_;
    token.text = text;
    tokens_.push_back(std::move(token));
  }

  void push_text(std::string_view text) {
    if (!text.empty()) push(TokenKind::kText, text);
  }

  /// Goes on at a position, counting the lines on the way.
  void move_to(size_t at) {
    const std::string_view passed = rest_.substr(at_, at - at_);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    if (!passed.empty()) at_line_start_ = passed.back() == '\n';
    at_ = at;
  }

  template <typename... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (error_) return;
    error_ = make_error("line {}: {}", line_, fmt::format(format, std::forward<Args>(args)...));
  }

  const std::string source_;
  const std::string_view rest_;
  size_t at_ = 0;
  int line_ = 1;
  bool at_line_start_ = true;
  std::vector<Token> tokens_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source) { return Lexer(source).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kText:
      return "template text";
    case TokenKind::kBlockBegin:
      return "'{%'";
    case TokenKind::kBlockEnd:
      return "'%}'";
    case TokenKind::kVariableBegin:
      return "'{{'";
    case TokenKind::kVariableEnd:
      return "'}}'";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kEnd:
      return "the end of the template";
    default:
      return "'" + token.text + "'";
  }
}

}  // namespace forge::text::jinja
