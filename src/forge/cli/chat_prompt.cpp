#include "forge/cli/chat_prompt.h"

#include <string_view>
#include <vector>

#include "forge/text/chat_template.h"

namespace forge::cli {
namespace {

std::string_view spelling(const text::Tokenizer& tokenizer, std::optional<int32_t> id) {
  return id ? tokenizer.piece(*id) : std::string_view();
}

}  // namespace

Result<std::string> render_chat(const engine::LoadedModel& loaded,
                                const std::optional<std::string>& system, const std::string& user) {
  const text::Tokenizer& tokenizer = loaded.tokenizer;
  const std::optional<std::string>& source = tokenizer.chat_template();
  if (!source) {
    return make_error("{}: the model has no chat template: leave --chat out to continue plain text",
                      loaded.path);
  }
  FORGE_TRY(const text::ChatTemplate chat,
            text::ChatTemplate::compile(*source, loaded.path + ": chat template"));
  std::vector<text::ChatMessage> messages;
  if (system) messages.push_back({"system", *system});
  messages.push_back({"user", user});
  const json::Document document = text::to_json(messages);
  text::ChatInput input;
  input.messages = document.root();
  input.bos_token = spelling(tokenizer, tokenizer.bos_id());
  input.eos_token = spelling(tokenizer, tokenizer.eos_id());
  return chat.render(input);
}

}  // namespace forge::cli
