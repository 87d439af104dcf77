#include "forge/text/regex/translate.h"

#include <array>

namespace forge::text {
namespace {

// Oniguruma's word characters: Alphabetic, marks, decimal digits and connectors; in Latin-1 (which
// has a table of its own there) the superscript digits and fractions too.
constexpr std::string_view kWordSet =
    "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}\\x{24B6}-\\x{24E9}"
    "\\x{1F130}-\\x{1F149}\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}";
constexpr std::string_view kPlainEscapes = "\\/()[]{}.*+?^$|-#'\"!%&,:;<=>@_`~ ";
constexpr std::string_view kSameEscapes = "tnrfaedDsSAzZ0123456789";  // mean the same in both

constexpr std::array<std::string_view, 37> kCategories = {
    "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc", "Me", "N",  "Nd", "Nl",
    "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S",  "Sm", "Sc", "Sk",
    "So", "Z",  "Zs", "Zl", "Zp", "C",  "Cc", "Cf", "Co", "Cn", "Any"};
constexpr std::array<std::string_view, 16> kScripts = {
    "Han",    "Hiragana", "Katakana", "Hangul", "Latin", "Cyrillic", "Greek",  "Arabic",
    "Hebrew", "Thai",     "Lao",      "Khmer",  "Tamil", "Bengali",  "Telugu", "Devanagari"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  for (const std::string_view candidate : names) {
    if (candidate == name) return true;
  }
  return false;
}

class Translator {
 public:
  Translator(std::string_view pattern, std::string_view origin)
      : pattern_(pattern), origin_(origin) {}

  Result<std::string> run() {
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\') {
        FORGE_TRY_STATUS(escape(false));
      } else if (c == '[') {
        FORGE_TRY_STATUS(set());
      } else if (c == '(') {
        FORGE_TRY_STATUS(group());
      } else if (c == '}' && is_interval_end() && next_is('+')) {
        return refuse("}+");
      } else {
        out_.push_back(c);
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] Error refuse(std::string_view construct) const {
    return make_error("{}: regex \"{}\": {} at offset {} is not supported", origin_, pattern_,
                      construct, at_);
  }

  [[nodiscard]] bool next_is(char c) const {
    return at_ + 1 < pattern_.size() && pattern_[at_ + 1] == c;
  }

  // Whether the "}" here closes a {n,m} quantifier.
  [[nodiscard]] bool is_interval_end() const {
    size_t i = at_;
    while (i > 0 &&
           (pattern_[i - 1] == ',' || (pattern_[i - 1] >= '0' && pattern_[i - 1] <= '9'))) {
      --i;
    }
    return i > 0 && i < at_ && pattern_[i - 1] == '{';
  }

  void put(std::string_view text, size_t consumed) {
    out_.append(text);
    at_ += consumed;
  }

  Status escape(bool in_set) {
    if (at_ + 1 >= pattern_.size()) return refuse("a \\ with nothing after it");
    const char c = pattern_[at_ + 1];
    if (kPlainEscapes.find(c) != std::string_view::npos ||
        kSameEscapes.find(c) != std::string_view::npos) {
      put(pattern_.substr(at_, 2), 2);
      return {};
    }
    const std::string word = std::string("[") + std::string(kWordSet) + "]";
    switch (c) {
      case 'p':
      case 'P':
        return property();
      case 'x':
        put("\\x", 2);
        return {};
      case 'u':
        return unicode_escape();
      case 'v':
        put("\\x{0B}", 2);
        return {};
      case 'h':
        put(in_set ? "0-9A-Fa-f" : "[0-9A-Fa-f]", 2);
        return {};
      case 'w':
        put(in_set ? kWordSet : std::string_view(word), 2);
        return {};
      case 'H':
        if (in_set) break;
        put("[^0-9A-Fa-f]", 2);
        return {};
      case 'W':
        if (in_set) break;
        put("[^" + std::string(kWordSet) + "]", 2);
        return {};
      case 'b':
        if (in_set) break;
        put("(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))", 2);
        return {};
      case 'B':
        if (in_set) break;
        put("(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))", 2);
        return {};
      default:
        break;
    }
    return refuse(std::string(in_set ? "in a set: \\" : "\\") + c);
  }

  Status property() {
    const size_t close = pattern_.find('}', at_);
    if (!next_after_letter_is_brace() || close == std::string_view::npos)
      return refuse("\\p without {}");
    std::string_view name = pattern_.substr(at_ + 3, close - at_ - 3);
    std::string_view not_sign;
    if (name.substr(0, 1) == "^") {
      not_sign = "^";
      name.remove_prefix(1);
    }
    const bool is_script = contains(kScripts, name);
    if (!is_script && !contains(kCategories, name)) {
      return refuse("\\p{" + std::string(name) + "}");
    }
    out_.append(pattern_.substr(at_, 3)).append(not_sign);
    out_.append(is_script ? "sc:" : "").append(name).append("}");
    at_ = close + 1;
    return {};
  }

  [[nodiscard]] bool next_after_letter_is_brace() const {
    return at_ + 2 < pattern_.size() && pattern_[at_ + 2] == '{';
  }

  Status unicode_escape() {
    const std::string_view digits = pattern_.substr(at_ + 2, 4);
    if (digits.size() < 4 ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return refuse("\\u without four hexadecimal digits");
    }
    put("\\x{" + std::string(digits) + "}", 6);
    return {};
  }

  // [...] up to its closing bracket.
  Status set() {
    put("[", 1);
    if (at_ < pattern_.size() && pattern_[at_] == '^') put("^", 1);
    if (at_ < pattern_.size() && pattern_[at_] == ']') return refuse("an empty set []");
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == ']') {
        put("]", 1);
        return {};
      }
      if (c == '[') return refuse("a set inside a set");
      if (c == '&' && next_is('&')) return refuse("&& in a set");
      if (c == '\\') {
        FORGE_TRY_STATUS(escape(true));
      } else {
        put(pattern_.substr(at_, 1), 1);
      }
    }
    return refuse("a set without ]");
  }

  // "(" and what follows it up to the group's content.
  Status group() {
    if (!next_is('?')) {
      if (next_is('*')) return refuse("(*");
      put("(", 1);
      return {};
    }
    const std::string_view rest = pattern_.substr(at_ + 2);
    for (const std::string_view opener : {":", "=", "!", ">", "<=", "<!"}) {
      if (rest.substr(0, opener.size()) == opener) {
        put(pattern_.substr(at_, 2 + opener.size()), 2 + opener.size());
        return {};
      }
    }
    std::string flags;
    size_t i = 0;
    for (;
         i < rest.size() && (rest[i] == 'i' || rest[i] == 'x' || rest[i] == 'm' || rest[i] == '-');
         ++i) {
      flags.push_back(rest[i] == 'm' ? 's' : rest[i]);
    }
    if (i == 0 || i >= rest.size() || (rest[i] != ':' && rest[i] != ')')) {
      return refuse("(?" + std::string(rest.substr(0, 1)));
    }
    put("(?" + flags + rest[i], 2 + i + 1);
    return {};
  }

  std::string_view pattern_;
  std::string_view origin_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

Result<std::string> translate_pattern(std::string_view pattern, std::string_view origin) {
  return Translator(pattern, origin).run();
}

}  // namespace forge::text
