#include "forge/base/json.h"

// RapidJSON 1.1 predates some warnings of ours; its headers are included as they are.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#pragma GCC diagnostic pop

#include <algorithm>
#include <cmath>
#include <variant>

#include "forge/base/mapped_file.h"
#include "forge/base/utf8.h"

namespace forge::json {
namespace {

const rapidjson::Value& node_of(const void* node) {
  return *static_cast<const rapidjson::Value*>(node);
}

std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

// Deeper nesting than any model file has; code that walks a document may recurse within it.
constexpr int kMaxDepth = 256;

// The offset of the bracket that nests deeper than kMaxDepth, or nothing.
std::optional<size_t> find_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return std::nullopt;
}

}  // namespace

bool Value::is_null() const { return node_ != nullptr && node_of(node_).IsNull(); }
bool Value::is_object() const { return node_ != nullptr && node_of(node_).IsObject(); }
bool Value::is_array() const { return node_ != nullptr && node_of(node_).IsArray(); }
bool Value::is_string() const { return node_ != nullptr && node_of(node_).IsString(); }
bool Value::is_number() const { return node_ != nullptr && node_of(node_).IsNumber(); }

Kind Value::kind() const {
  FORGE_CHECK(node_ != nullptr, "kind() of a missing value");
  switch (node_of(node_).GetType()) {
    case rapidjson::kNullType:
      return Kind::kNull;
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      return Kind::kBool;
    case rapidjson::kNumberType:
      return Kind::kNumber;
    case rapidjson::kStringType:
      return Kind::kString;
    case rapidjson::kArrayType:
      return Kind::kArray;
    case rapidjson::kObjectType:
      return Kind::kObject;
  }
  return Kind::kNull;
}

std::optional<bool> Value::as_bool() const {
  if (node_ == nullptr || !node_of(node_).IsBool()) return std::nullopt;
  return node_of(node_).GetBool();
}

std::optional<int64_t> Value::as_int() const {
  if (node_ == nullptr) return std::nullopt;
  const rapidjson::Value& value = node_of(node_);
  if (value.IsInt64()) return value.GetInt64();
  // Writers in other languages give whole numbers as 1e6 or 10000.0.
  if (value.IsDouble() && std::trunc(value.GetDouble()) == value.GetDouble() &&
      std::abs(value.GetDouble()) < 0x1p53) {
    return static_cast<int64_t>(value.GetDouble());
  }
  return std::nullopt;
}

std::optional<double> Value::as_double() const {
  if (!is_number()) return std::nullopt;
  return node_of(node_).GetDouble();
}

std::optional<std::string_view> Value::as_string() const {
  if (!is_string()) return std::nullopt;
  return text_of(node_of(node_));
}

size_t Value::size() const {
  if (is_array()) return node_of(node_).Size();
  if (is_object()) return node_of(node_).MemberCount();
  return 0;
}

Value Value::at(size_t i) const {
  FORGE_CHECK(is_array() && i < size(), "element {} of {}", i, size());
  return Value(&node_of(node_)[static_cast<rapidjson::SizeType>(i)]);
}

Value Value::find(std::string_view key) const {
  if (!is_object()) return {};
  for (const auto& member : node_of(node_).GetObject()) {
    if (text_of(member.name) == key) return Value(&member.value);
  }
  return {};
}

std::string_view Value::key_at(size_t i) const {
  FORGE_CHECK(is_object() && i < size(), "member {} of {}", i, size());
  return text_of((node_of(node_).MemberBegin() + static_cast<std::ptrdiff_t>(i))->name);
}

Value Value::member_at(size_t i) const {
  FORGE_CHECK(is_object() && i < size(), "member {} of {}", i, size());
  return Value(&(node_of(node_).MemberBegin() + static_cast<std::ptrdiff_t>(i))->value);
}

std::string Value::dump() const {
  if (node_ == nullptr) return "(missing)";
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  node_of(node_).Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

struct Document::State {
  rapidjson::Document document;
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, std::string_view origin) {
  if (const auto offset = find_too_deep(text)) {
    return make_error("{}: byte {}: nested deeper than {} levels", origin, *offset, kMaxDepth);
  }
  auto state = std::make_unique<State>();
  // Encoding is checked because strings are handed on as UTF-8.
  constexpr unsigned kFlags =
      rapidjson::kParseFullPrecisionFlag | rapidjson::kParseValidateEncodingFlag;
  state->document.Parse<kFlags>(text.data(), text.size());
  if (state->document.HasParseError()) {
    const size_t offset = std::min(state->document.GetErrorOffset(), text.size());
    const std::string_view before = text.substr(0, offset);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
    return make_error("{}: line {}, column {}: not valid JSON: {}", origin, line,
                      offset - line_start + 1,
                      rapidjson::GetParseError_En(state->document.GetParseError()));
  }
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

struct Writer::State {
  rapidjson::StringBuffer buffer;
  std::variant<rapidjson::Writer<rapidjson::StringBuffer>,
               rapidjson::PrettyWriter<rapidjson::StringBuffer>>
      writer;

  explicit State(Layout layout) {
    if (layout == Layout::kIndented) {
      writer.emplace<1>(buffer);
      std::get<1>(writer).SetIndent(' ', 2);
    } else {
      writer.emplace<0>(buffer);
    }
  }

  template <typename Call>
  void apply(Call&& call) {
    const bool accepted = std::visit(call, writer);
    FORGE_CHECK(accepted, "JSON writer calls do not nest");
  }
};

Writer::Writer(Layout layout) : state_(std::make_unique<State>(layout)) {}
Writer::~Writer() = default;

Writer& Writer::begin_object() {
  state_->apply([](auto& w) { return w.StartObject(); });
  return *this;
}
Writer& Writer::end_object() {
  state_->apply([](auto& w) { return w.EndObject(); });
  return *this;
}
Writer& Writer::begin_array() {
  state_->apply([](auto& w) { return w.StartArray(); });
  return *this;
}
Writer& Writer::end_array() {
  state_->apply([](auto& w) { return w.EndArray(); });
  return *this;
}
Writer& Writer::key(std::string_view name) {
  state_->apply(
      [&](auto& w) { return w.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); });
  return *this;
}
Writer& Writer::value(std::string_view text) {
  std::string repaired;
  if (find_invalid_utf8(text)) {
    repaired = replace_invalid_utf8(text);
    text = repaired;
  }
  state_->apply([&](auto& w) {
    return w.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  });
  return *this;
}
Writer& Writer::value(int64_t number) {
  state_->apply([&](auto& w) { return w.Int64(number); });
  return *this;
}
Writer& Writer::value(uint64_t number) {
  state_->apply([&](auto& w) { return w.Uint64(number); });
  return *this;
}
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return null();
  state_->apply([&](auto& w) { return w.Double(number); });
  return *this;
}
Writer& Writer::value(bool flag) {
  state_->apply([&](auto& w) { return w.Bool(flag); });
  return *this;
}
Writer& Writer::null() {
  state_->apply([](auto& w) { return w.Null(); });
  return *this;
}

std::string Writer::text() const { return {state_->buffer.GetString(), state_->buffer.GetSize()}; }

}  // namespace forge::json
