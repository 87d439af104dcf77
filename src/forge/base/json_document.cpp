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

// Parses text, which it decodes in place, into a document. As SAX handler it stands before the
// document and refuses what nests too deep, since parser, document and callers recurse.
class DepthLimit {
 public:
  DepthLimit(char* text, rapidjson::Document& document) : text_(text), document_(document) {
    document.Populate(*this);
  }
  [[nodiscard]] const rapidjson::ParseResult& result() const { return result_; }

  bool operator()(rapidjson::Document&) {
    rapidjson::InsituStringStream stream(text_);
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseFullPrecisionFlag;
    result_ = reader.Parse<kFlags>(stream, *this);
    return !result_.IsError();
  }

  bool Null() { return document_.Null(); }
  bool Bool(bool v) { return document_.Bool(v); }
  bool Int(int v) { return document_.Int(v); }
  bool Uint(unsigned v) { return document_.Uint(v); }
  bool Int64(int64_t v) { return document_.Int64(v); }
  bool Uint64(uint64_t v) { return document_.Uint64(v); }
  bool Double(double v) { return document_.Double(v); }
  bool RawNumber(const char* v, rapidjson::SizeType n, bool copy) {
    return document_.RawNumber(v, n, copy);
  }
  bool String(const char* v, rapidjson::SizeType n, bool copy) {
    return document_.String(v, n, copy);
  }
  bool Key(const char* v, rapidjson::SizeType n, bool copy) { return document_.Key(v, n, copy); }
  bool StartObject() { return ++depth_ <= kMaxDepth && document_.StartObject(); }
  bool StartArray() { return ++depth_ <= kMaxDepth && document_.StartArray(); }
  bool EndObject(rapidjson::SizeType n) { return --depth_, document_.EndObject(n); }
  bool EndArray(rapidjson::SizeType n) { return --depth_, document_.EndArray(n); }

 private:
  char* text_;
  rapidjson::Document& document_;
  rapidjson::ParseResult result_;
  int depth_ = 0;
};

Error error_at(std::string_view text, size_t offset, std::string_view origin, const char* what) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return make_error("{}: line {}, column {}: not valid JSON: {}", origin, line,
                    before.size() - line_start + 1, what);
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

Result<Document> Document::parse(std::string_view text, std::string_view origin) {
  if (text.size() > kMaxBytes) {
    return make_error("{}: {} bytes of JSON, at most {} expected", origin, text.size(), kMaxBytes);
  }
  auto state = std::make_unique<State>();
  const Problem problem = find_problem(text);
  // Before a problem the text may be wrong in other ways, and the first error is the one to report.
  state->text = text.substr(0, problem.offset);
  const size_t size = state->text.size();
  const auto result = DepthLimit(state->text.data(), state->document).result();
  if (result.IsError() && (result.Offset() < size || problem.what == nullptr)) {
    if (result.Code() == rapidjson::kParseErrorTermination) {  // the bracket has been read
      return error_at(text, result.Offset() - 1, origin, "nested deeper than 256 levels");
    }
    return error_at(text, result.Offset(), origin, rapidjson::GetParseError_En(result.Code()));
  }
  if (problem.what != nullptr) return error_at(text, problem.offset, origin, problem.what);
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
