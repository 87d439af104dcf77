#include "forge/base/json.h"

#include <cmath>
#include <limits>
#include <variant>
#include <vector>

#include "forge/base/check.h"
#include "forge/base/rapidjson_headers.h"
#include "forge/base/utf8.h"

namespace forge::json {
namespace {

// A text as RapidJSON takes it: valid UTF-8, copied only where it had to be repaired.
class ValidText {
 public:
  explicit ValidText(std::string_view text) : text_(text) {
    if (find_invalid_utf8(text)) {
      repaired_ = replace_invalid_utf8(text);
      text_ = repaired_;
    }
    FORGE_CHECK(text_.size() <= std::numeric_limits<rapidjson::SizeType>::max(), "{} bytes",
                text_.size());
  }
  // RapidJSON wants an address even for no bytes.
  [[nodiscard]] const char* data() const { return text_.data() == nullptr ? "" : text_.data(); }
  [[nodiscard]] rapidjson::SizeType size() const {
    return static_cast<rapidjson::SizeType>(text_.size());
  }

 private:
  std::string repaired_;
  std::string_view text_;
};

}  // namespace

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

  // RapidJSON checks nesting by asserts only, which release builds do not have.
  struct Level {
    bool is_object;
    bool has_key;  // in an object: the next call gives the value of a key
  };
  std::vector<Level> levels;
  bool has_root = false;

  void before_value() {
    if (levels.empty()) {
      FORGE_CHECK(!has_root, "a second JSON value after the end of the first");
      has_root = true;
    } else if (levels.back().is_object) {
      FORGE_CHECK(levels.back().has_key, "JSON value without a key in an object");
      levels.back().has_key = false;
    }
  }
  void before_key() {
    FORGE_CHECK(!levels.empty() && levels.back().is_object && !levels.back().has_key,
                "JSON key where none can be");
    levels.back().has_key = true;
  }
  void before_end(bool is_object) {
    FORGE_CHECK(!levels.empty() && levels.back().is_object == is_object && !levels.back().has_key,
                "JSON end that matches no begin");
    levels.pop_back();
  }

  template <typename Call>
  void apply(Call&& call) {
    const bool accepted = std::visit(call, writer);
    FORGE_CHECK(accepted, "JSON writer refused a call");
  }
};

Writer::Writer(Layout layout) : state_(std::make_unique<State>(layout)) {}
Writer::~Writer() = default;

Writer& Writer::begin_object() {
  state_->before_value();
  state_->levels.push_back({.is_object = true, .has_key = false});
  state_->apply([](auto& w) { return w.StartObject(); });
  return *this;
}
Writer& Writer::end_object() {
  state_->before_end(true);
  state_->apply([](auto& w) { return w.EndObject(); });
  return *this;
}
Writer& Writer::begin_array() {
  state_->before_value();
  state_->levels.push_back({.is_object = false, .has_key = false});
  state_->apply([](auto& w) { return w.StartArray(); });
  return *this;
}
Writer& Writer::end_array() {
  state_->before_end(false);
  state_->apply([](auto& w) { return w.EndArray(); });
  return *this;
}
Writer& Writer::key(std::string_view name) {
  state_->before_key();
  const ValidText valid(name);
  state_->apply([&](auto& w) { return w.Key(valid.data(), valid.size()); });
  return *this;
}
Writer& Writer::value(std::string_view text) {
  state_->before_value();
  const ValidText valid(text);
  state_->apply([&](auto& w) { return w.String(valid.data(), valid.size()); });
  return *this;
}
Writer& Writer::value(int64_t number) {
  state_->before_value();
  state_->apply([&](auto& w) { return w.Int64(number); });
  return *this;
}
Writer& Writer::value(uint64_t number) {
  state_->before_value();
  state_->apply([&](auto& w) { return w.Uint64(number); });
  return *this;
}
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return null();
  state_->before_value();
  state_->apply([&](auto& w) { return w.Double(number); });
  return *this;
}
Writer& Writer::value(bool flag) {
  state_->before_value();
  state_->apply([&](auto& w) { return w.Bool(flag); });
  return *this;
}
Writer& Writer::value(const Value& copied) {
  FORGE_CHECK(!copied.is_missing(), "a missing JSON value");
  state_->before_value();
  const auto& node = *static_cast<const rapidjson::Value*>(copied.node_);
  state_->apply([&](auto& w) { return node.Accept(w); });
  return *this;
}
Writer& Writer::null() {
  state_->before_value();
  state_->apply([](auto& w) { return w.Null(); });
  return *this;
}

std::string Writer::text() const { return {state_->buffer.GetString(), state_->buffer.GetSize()}; }

}  // namespace forge::json
