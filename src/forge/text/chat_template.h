// A conversation to the prompt a model was trained on, by the template that comes with the model.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/result.h"
#include "forge/text/jinja/template.h"

namespace forge::text {

/// What a template sees; the names are those of the transformers library's apply_chat_template. The
/// JSON documents and texts must live while render() runs.
struct ChatInput {
  json::Value messages;   // array of objects with "role", "content", ...; required
  json::Value tools;      // array of tool schemas; none where missing
  json::Value documents;  // array of objects; none where missing
  json::Value extra;  // object: further variables (enable_thinking, ...), which win over all others
  bool add_generation_prompt = true;  // end with the start of the assistant's answer
  std::string_view bos_token;
  std::string_view eos_token;
  std::optional<std::tm> now;  // for strftime_now; the clock's local time where absent
  jinja::Limits limits;
};

/// One message of a plain conversation.
struct ChatMessage {
  std::string role;
  std::string content;
};

/// The "messages" array of a plain conversation, for ChatInput::messages.
[[nodiscard]] json::Document to_json(const std::vector<ChatMessage>& messages);

/// Immutable: any thread may render, and several at once.
class ChatTemplate {
 public:
  /// Compiles a Jinja template with the settings of the transformers library. origin names it in
  /// errors.
  [[nodiscard]] static Result<ChatTemplate> compile(std::string_view source,
                                                    std::string_view origin);

  /// The prompt. Fails where the template refuses the conversation (raise_exception), does what
  /// Python would raise an exception for, or goes over a limit; the message names the template's
  /// line.
  [[nodiscard]] Result<std::string> render(const ChatInput& input) const;

 private:
  explicit ChatTemplate(jinja::Template compiled) : template_(std::move(compiled)) {}
  jinja::Template template_;
};

}  // namespace forge::text
