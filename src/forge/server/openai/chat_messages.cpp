#include "forge/server/openai/chat_messages.h"

#include <algorithm>
#include <array>

namespace forge::server::openai {
namespace {

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();  // the body is bounded already

constexpr std::array<std::string_view, 6> kRoles = {"system",    "developer", "user",
                                                    "assistant", "tool",      "function"};

constexpr RefusedField kRefusedInMessages[] = {
    {"audio", "not supported: the model reads text only"},
    {"function_call", "not supported: \"tool_calls\" has replaced it"},
    {"refusal", "not supported: give it as \"content\""},
};
// Comes back with messages that OpenAI has written.
constexpr std::string_view kWithoutEffect[] = {"annotations"};
constexpr std::string_view kWithoutEffectInParts[] = {"prompt_cache_breakpoint"};

// Copies messages one by one into a new document.
class MessageWriter {
 public:
  MessageWriter(const MessageForm& form, std::vector<std::string>* ignored)
      : form_(form), ignored_(ignored) {}

  void write(Fields& message, std::string_view suffix);
  [[nodiscard]] json::Writer& writer() { return writer_; }

 private:
  void write_content(Fields& message, bool may_be_null, std::string_view suffix);
  void write_tool_calls(Fields& message, const json::Value& calls);
  void write_call(Fields& call);
  std::vector<std::string> read_parts(Fields& message, const json::Value& parts);

  json::Writer writer_;
  const MessageForm& form_;
  std::vector<std::string>* ignored_;
};

std::vector<std::string> MessageWriter::read_parts(Fields& message, const json::Value& parts) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < parts.size() && !message.has_failed(); ++i) {
    Fields part(parts.at(i), message.path_of(fmt::format("content[{}]", i)), message.error());
    const std::string_view type = part.text("type", kNoLimit).value_or("");
    if (type != "text") {
      part.fail("type", type.empty()
                            ? "required"
                            : fmt::format("\"{}\" is not supported: the model reads text only",
                                          type.substr(0, 32)));
      break;
    }
    const std::optional<std::string_view> text = part.text("text", kNoLimit);
    if (!text) part.fail("text", "required");
    part.accept(kWithoutEffectInParts);
    part.finish(ignored_);
    texts.emplace_back(text.value_or(""));
  }
  return texts;
}

void MessageWriter::write_content(Fields& message, bool may_be_null, std::string_view suffix) {
  const json::Value content = message.any("content");
  writer_.key("content");
  if (content.is_missing() && may_be_null && suffix.empty()) {
    writer_.null();
    return;
  }
  std::vector<std::string> texts;
  if (const auto text = content.as_string()) {
    texts.emplace_back(*text);
  } else if (content.is_array() && content.size() > 0) {
    texts = read_parts(message, content);
  } else {
    message.fail("content", content.is_missing()
                                ? std::string("required")
                                : fmt::format("expected a string or an array of text parts, got {}",
                                              shown(content)));
  }
  if (texts.empty()) texts.emplace_back();
  texts.back() += suffix;
  if (!form_.content_as_parts) {
    writer_.value(fmt::format("{}", fmt::join(texts, "\n")));
    return;
  }
  writer_.begin_array();
  for (const std::string& text : texts) {
    writer_.begin_object().member("type", "text").member("text", text).end_object();
  }
  writer_.end_array();
}

void MessageWriter::write_call(Fields& call) {
  writer_.begin_object();
  writer_.member("type", "function");
  if (const auto id = call.text("id", kNoLimit)) writer_.member("id", *id);
  const std::string_view type = call.text("type", kNoLimit).value_or("function");
  if (type != "function") call.fail("type", "only \"function\" is supported");
  Fields function(call.object("function"), call.path_of("function"), call.error());
  const std::optional<std::string_view> name = function.text("name", kNoLimit);
  if (!name) function.fail("name", "required");
  writer_.key("function").begin_object().member("name", name.value_or(""));
  const json::Value arguments = function.any("arguments");
  writer_.key("arguments");
  const std::string_view source = arguments.as_string().value_or("");
  if (arguments.is_object()) {
    writer_.value(arguments);
  } else if (arguments.is_missing() || (arguments.is_string() && source.empty())) {
    writer_.begin_object().end_object();
  } else {
    const auto parsed = json::Document::parse(source, "arguments");
    if (parsed.ok() && parsed.value().root().is_object()) {
      writer_.value(parsed.value().root());
    } else {
      function.fail("arguments", "expected the JSON text of an object");
      writer_.null();
    }
  }
  writer_.end_object().end_object();
  function.finish(ignored_);
  call.finish(ignored_);
}

void MessageWriter::write_tool_calls(Fields& message, const json::Value& calls) {
  writer_.key("tool_calls").begin_array();
  for (size_t i = 0; i < calls.size() && !message.has_failed(); ++i) {
    Fields call(calls.at(i), message.path_of(fmt::format("tool_calls[{}]", i)), message.error());
    write_call(call);
  }
  writer_.end_array();
}

void MessageWriter::write(Fields& message, std::string_view suffix) {
  const std::optional<std::string_view> given = message.word("role", kRoles);
  if (!given) message.fail("role", "required");
  std::string_view role = given.value_or("user");
  const bool is_assistant = role == "assistant";
  if (role == "developer" && !form_.has_developer_role) role = "system";
  writer_.begin_object().member("role", role);

  const json::Value calls = is_assistant ? message.array("tool_calls") : json::Value();
  write_content(message, calls.size() > 0, suffix);
  if (calls.size() > 0) write_tool_calls(message, calls);
  if (const auto name = message.text("name", kNoLimit)) writer_.member("name", *name);
  if (is_assistant) {
    if (const auto thoughts = message.text("reasoning_content", kNoLimit)) {
      writer_.member("reasoning_content", *thoughts);
    }
  }
  if (role == "tool") {
    if (const auto id = message.text("tool_call_id", kNoLimit)) writer_.member("tool_call_id", *id);
  }
  writer_.end_object();
  message.refuse(kRefusedInMessages);
  message.accept(kWithoutEffect);
  message.finish(ignored_);
}

}  // namespace

std::optional<json::Document> read_messages(Fields& fields, const MessageForm& form,
                                            int32_t max_messages, std::string_view last_suffix,
                                            std::vector<std::string>* ignored) {
  const json::Value messages = fields.array("messages");
  if (messages.size() == 0) {
    fields.fail("messages", messages.is_missing() ? "required" : "expected at least one message");
    return std::nullopt;
  }
  if (messages.size() > static_cast<size_t>(max_messages)) {
    fields.fail("messages",
                fmt::format("{} messages, at most {} expected", messages.size(), max_messages));
    return std::nullopt;
  }
  MessageWriter writer(form, ignored);
  writer.writer().begin_array();
  for (size_t i = 0; i < messages.size() && !fields.has_failed(); ++i) {
    Fields message(messages.at(i), fmt::format("messages[{}]", i), fields.error());
    writer.write(message, i + 1 == messages.size() ? last_suffix : std::string_view());
  }
  if (fields.has_failed()) return std::nullopt;
  writer.writer().end_array();
  Result<json::Document> document = json::Document::parse(writer.writer().text(), "messages");
  if (!document.ok()) {
    fields.fail("messages", document.error().message);  // nested too deep, say
    return std::nullopt;
  }
  return std::move(document).value();
}

std::string_view last_content(const json::Value& messages) {
  const json::Value content = messages.at(messages.size() - 1).find("content");
  if (content.is_array()) return *content.at(content.size() - 1).find("text").as_string();
  return content.as_string().value_or("");
}

}  // namespace forge::server::openai
