#include "forge/text/jinja/letter_case.h"

#include <utf8proc.h>

#include "forge/base/utf8.h"
#include "forge/text/jinja/python_text.h"

namespace forge::text::jinja {

namespace {

constexpr char32_t kSharpS = 0xDF;
constexpr char32_t kDottedI = 0x130;
constexpr char32_t kSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

char32_t simple_upper(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t simple_lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}
char32_t simple_title(char32_t c) {
  return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(c)));
}

bool is_upper_letter(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LU; }
bool is_lower_letter(char32_t c) { return category(c) == UTF8PROC_CATEGORY_LL; }
bool is_cased(char32_t c) {
  return is_upper_letter(c) || is_lower_letter(c) || category(c) == UTF8PROC_CATEGORY_LT;
}

void append_upper(std::string& out, char32_t c) {
  if (c == kSharpS) {
    out += "SS";
  } else {
    append_utf8(out, simple_upper(c));
  }
}

void append_title(std::string& out, char32_t c) {
  if (c == kSharpS) {
    out += "Ss";
  } else {
    append_utf8(out, simple_title(c));
  }
}

void append_lower(std::string& out, const std::u32string& text, size_t i) {
  const char32_t c = text[i];
  if (c == kDottedI) {
    append_utf8(out, 'i');
    append_utf8(out, 0x307);
  } else if (c == kSigma) {  // at the end of a word
    const bool ends_word =
        i > 0 && is_cased(text[i - 1]) && (i + 1 == text.size() || !is_cased(text[i + 1]));
    append_utf8(out, ends_word ? kFinalSigma : simple_lower(c));
  } else {
    append_utf8(out, simple_lower(c));
  }
}

template <typename Change>
std::string map_ascii(std::string_view text, Change change) {
  std::string out(text);
  for (char& c : out) c = change(c);
  return out;
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

}  // namespace

std::string to_upper(std::string_view text) {
  if (is_ascii(text)) return map_ascii(text, ascii_upper);
  std::string out;
  for (const char32_t c : to_code_points(text)) append_upper(out, c);
  return out;
}

std::string to_lower(std::string_view text) {
  if (is_ascii(text)) return map_ascii(text, ascii_lower);
  std::string out;
  const std::u32string points = to_code_points(text);
  for (size_t i = 0; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}

std::string to_capitalized(std::string_view text) {
  std::string out;
  const std::u32string points = to_code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0) {
      append_title(out, points[i]);
    } else {
      append_lower(out, points, i);
    }
  }
  return out;
}

std::string to_title(std::string_view text) {
  std::string out;
  const std::u32string points = to_code_points(text);
  bool follows_cased = false;
  for (size_t i = 0; i < points.size(); ++i) {
    if (follows_cased) {
      append_lower(out, points, i);
    } else {
      append_title(out, points[i]);
    }
    follows_cased = is_cased(points[i]);
  }
  return out;
}

std::string swap_case(std::string_view text) {
  std::string out;
  const std::u32string points = to_code_points(text);
  for (size_t i = 0; i < points.size(); ++i) {
    if (is_upper_letter(points[i])) {
      append_lower(out, points, i);
    } else if (is_lower_letter(points[i])) {
      append_upper(out, points[i]);
    } else {
      append_utf8(out, points[i]);
    }
  }
  return out;
}

bool is_all_lower(std::string_view text) {
  bool has_cased = false;
  for (const char32_t c : to_code_points(text)) {
    if (is_cased(c) && !is_lower_letter(c)) return false;
    has_cased = has_cased || is_cased(c);
  }
  return has_cased;
}

bool is_all_upper(std::string_view text) {
  bool has_cased = false;
  for (const char32_t c : to_code_points(text)) {
    if (is_cased(c) && !is_upper_letter(c)) return false;
    has_cased = has_cased || is_cased(c);
  }
  return has_cased;
}

bool is_letter(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
}

bool is_decimal(char32_t c) { return category(c) == UTF8PROC_CATEGORY_ND; }

bool is_numeric(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found == UTF8PROC_CATEGORY_ND || found == UTF8PROC_CATEGORY_NL ||
         found == UTF8PROC_CATEGORY_NO;
}

bool is_word(char32_t c) { return c == '_' || is_letter(c) || is_numeric(c); }

}  // namespace forge::text::jinja
