#include "forge/text/chat_template.h"

#include <utility>

namespace forge::text {

json::Document to_json(const std::vector<ChatMessage>& messages) {
  json::Writer writer;
  writer.begin_array();
  for (const ChatMessage& message : messages) {
    writer.begin_object();
    writer.member("role", message.role);
    writer.member("content", message.content);
    writer.end_object();
  }
  writer.end_array();
  Result<json::Document> document = json::Document::parse(writer.text(), "messages");
  return std::move(document).value();  // what Writer writes is always valid
}

Result<ChatTemplate> ChatTemplate::compile(std::string_view source, std::string_view origin) {
  FORGE_TRY(jinja::Template compiled, jinja::Template::compile(source, origin));
  return ChatTemplate(std::move(compiled));
}

Result<std::string> ChatTemplate::render(const ChatInput& input) const {
  if (!input.messages.is_array()) return make_error("messages: expected an array");
  if (!input.extra.is_missing() && !input.extra.is_object()) {
    return make_error("template variables: expected an object");
  }
  std::vector<jinja::Variable> variables = {
      {"messages", input.messages},   {"tools", nullptr},
      {"tools", input.tools},         {"documents", nullptr},
      {"documents", input.documents}, {"add_generation_prompt", input.add_generation_prompt},
      {"bos_token", input.bos_token}, {"eos_token", input.eos_token},
  };
  for (size_t i = 0; i < input.extra.size(); ++i) {
    variables.push_back({input.extra.key_at(i), input.extra.member_at(i)});
  }
  jinja::RenderOptions options;
  options.limits = input.limits;
  options.now = input.now;
  return template_.render(variables, options);
}

}  // namespace forge::text
