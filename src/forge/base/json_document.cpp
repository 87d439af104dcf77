#include "forge/base/json.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "forge/base/mapped_file.h"
#include "forge/base/rapidjson_headers.h"
#include "forge/base/utf8.h"

namespace forge::json {
namespace {

// Deeper nesting than any model file has; code that walks a document may recurse within it.
constexpr int kMaxDepth = 256;

// RapidJSON counts in 32 bits.
constexpr size_t kMaxBytes = 0xFFFFFFFFu;

// The value of the four hex digits at text[offset], or -1.
int32_t hex4(std::string_view text, size_t offset) {
  if (text.size() < 4 || offset > text.size() - 4) return -1;
  uint32_t value = 0;
  const char* begin = text.data() + offset;
  const auto [end, error] = std::from_chars(begin, begin + 4, value, 16);
  return error == std::errc() && end == begin + 4 ? static_cast<int32_t>(value) : -1;
}

// The offset of an escaped second half of a surrogate pair that has no first half, or npos. No
// UTF-8 can hold one, but RapidJSON lets it pass; a first half alone it refuses itself.
size_t find_lone_surrogate(std::string_view text) {
  for (size_t i = text.find("\\u"); i != text.npos; i = text.find("\\u", i + 2)) {
    size_t first = i;
    while (first > 0 && text[first - 1] == '\\') --first;
    if ((i - first) % 2 != 0) continue;  // the backslash is itself escaped
    const int32_t unit = hex4(text, i + 2);
    if (unit >= 0xDC00 && unit < 0xE000) return i;
    if (unit >= 0xD800 && unit < 0xDC00) i += 6;
  }
  return text.npos;
}

struct Problem {
  size_t offset = std::string_view::npos;
  const char* what = nullptr;
};

// The first thing that RapidJSON would accept and we do not: NUL (which it takes for the end),
// invalid UTF-8, lone surrogates.
Problem find_problem(std::string_view text) {
  Problem first;
  const auto consider = [&](size_t offset, const char* what) {
    if (offset < first.offset) first = {offset, what};
  };
  consider(text.find('\0'), "a NUL character");
  consider(find_invalid_utf8(text).value_or(text.npos), "not valid UTF-8");
  consider(find_lone_surrogate(text), "half of a surrogate pair");
  return first;
}

// Whether a JSON number that no double can hold is so because it is too small: its first digit that
// is not zero stands behind the decimal point, by more places than the exponent brings back.
bool is_underflow(std::string_view number) {
  const size_t exponent_at = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, exponent_at);
  const size_t point = std::min(mantissa.find('.'), mantissa.size());
  const size_t first = mantissa.find_first_of("123456789");
  if (first == mantissa.npos) return true;
  const auto places = static_cast<int64_t>(point) - static_cast<int64_t>(first);
  int64_t exponent = 0;
  if (exponent_at < number.size()) {
    std::string_view digits = number.substr(exponent_at + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), exponent);
    if (error != std::errc()) return digits.starts_with('-');
  }
  constexpr int64_t kFar = int64_t{1} << 40;  // beyond any number of places, and sums still fit
  return std::clamp(exponent, -kFar, kFar) + places < 0;
}

// Parses text, which it decodes in place, into a document. As SAX handler it stands before the
// document; it refuses what nests too deep, since parser, document and callers recurse, and
// converts numbers itself: RapidJSON's own conversion shifts by the leading zeros of a zero, so
// that "0.0e-23" becomes whatever lies on the stack.
class DocumentBuilder {
 public:
  DocumentBuilder(char* text, rapidjson::Document& document) : text_(text), document_(document) {
    document.Populate(*this);
  }
  [[nodiscard]] const rapidjson::ParseResult& result() const { return result_; }
  /// Why this handler, not the parser, stopped; or nullptr.
  [[nodiscard]] const char* refusal() const { return refusal_; }
  [[nodiscard]] bool is_too_deep() const { return depth_ > kMaxDepth; }

  bool operator()(rapidjson::Document&) {
    rapidjson::InsituStringStream stream(text_);
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
    result_ = reader.Parse<kFlags>(stream, *this);
    return !result_.IsError();
  }

  bool Null() { return document_.Null(); }
  bool Bool(bool v) { return document_.Bool(v); }
  bool RawNumber(const char* v, rapidjson::SizeType n, bool /*copy*/) {
    int64_t whole = 0;
    if (converts(v, n, whole)) return document_.Int64(whole);
    uint64_t large = 0;
    if (converts(v, n, large)) return document_.Uint64(large);
    double real = 0;
    if (converts(v, n, real)) return document_.Double(real);
    if (is_underflow({v, n})) return document_.Double(*v == '-' ? -0.0 : 0.0);
    return refuse("a number too big for a double");
  }
  bool String(const char* v, rapidjson::SizeType n, bool copy) {
    return document_.String(v, n, copy);
  }
  bool Key(const char* v, rapidjson::SizeType n, bool copy) { return document_.Key(v, n, copy); }
  bool StartObject() { return enter() && document_.StartObject(); }
  bool StartArray() { return enter() && document_.StartArray(); }
  bool EndObject(rapidjson::SizeType n) { return --depth_, document_.EndObject(n); }
  bool EndArray(rapidjson::SizeType n) { return --depth_, document_.EndArray(n); }
  // A handler must have these; with numbers as text the parser never calls them.
  bool Int(int v) { return document_.Int(v); }
  bool Uint(unsigned v) { return document_.Uint(v); }
  bool Int64(int64_t v) { return document_.Int64(v); }
  bool Uint64(uint64_t v) { return document_.Uint64(v); }
  bool Double(double v) { return document_.Double(v); }

 private:
  // Whether the whole of the text is a T, correctly rounded.
  template <typename T>
  static bool converts(const char* v, rapidjson::SizeType n, T& value) {
    const auto [end, error] = std::from_chars(v, v + n, value);
    return error == std::errc() && end == v + n;
  }
  bool enter() { return ++depth_ <= kMaxDepth || refuse("nested deeper than 256 levels"); }
  bool refuse(const char* what) {
    refusal_ = what;
    return false;
  }

  char* text_;
  rapidjson::Document& document_;
  rapidjson::ParseResult result_;
  const char* refusal_ = nullptr;
  int depth_ = 0;
};

/// A text as errors name it.
struct NamedText {
  std::string_view text;
  std::string_view origin;
  int64_t first_line;
};

Error error_at(const NamedText& named, size_t offset, const char* what) {
  const std::string_view before = named.text.substr(0, std::min(offset, named.text.size()));
  const int64_t line = named.first_line + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return make_error("{}{}line {}, column {}: not valid JSON: {}", named.origin,
                    named.origin.empty() ? "" : ": ", line, before.size() - line_start + 1, what);
}

}  // namespace

struct Document::State {
  std::string text;  // decoded in place: the document's strings point into it
  rapidjson::Document document;
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, std::string_view origin,
                                 int64_t first_line) {
  const NamedText named{.text = text, .origin = origin, .first_line = first_line};
  if (text.size() > kMaxBytes) {
    return make_error("{}: {} bytes of JSON, at most {} expected", origin, text.size(), kMaxBytes);
  }
  auto state = std::make_unique<State>();
  const Problem problem = find_problem(text);
  // Before a problem the text may be wrong in other ways, and the first error is the one to report.
  state->text = text.substr(0, problem.offset);
  const size_t size = state->text.size();
  const DocumentBuilder builder(state->text.data(), state->document);
  const auto& result = builder.result();
  if (result.IsError() && (result.Offset() < size || problem.what == nullptr)) {
    if (builder.refusal() != nullptr) {
      // A bracket has been read when it is refused, a number is refused at its start.
      const size_t offset = result.Offset() - (builder.is_too_deep() ? 1 : 0);
      return error_at(named, offset, builder.refusal());
    }
    return error_at(named, result.Offset(), rapidjson::GetParseError_En(result.Code()));
  }
  if (problem.what != nullptr) return error_at(named, problem.offset, problem.what);
  return Document(std::move(state));
}

Result<Document> Document::load(const std::string& path) {
  FORGE_TRY(const MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Value Document::root() const {
  const rapidjson::Value& root = state_->document;
  return Value(static_cast<const void*>(&root));
}

}  // namespace forge::json
