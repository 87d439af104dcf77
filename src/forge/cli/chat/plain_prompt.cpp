// Conversations with models that only continue text.
#include "forge/cli/chat/chat_model.h"

namespace forge::cli::chat {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t'; }

}  // namespace

std::string plain_prompt(const Conversation& conversation) {
  const std::vector<Turn>& turns = conversation.turns();
  size_t first = turns.size();
  while (first > conversation.first_in_context()) {
    --first;
    if (first == conversation.first_in_context()) break;
    const auto& before = turns[first - 1].answer;
    if (!before || before->finish_reason == "stop") break;  // that text had ended
  }
  std::string text;
  for (size_t i = first; i < turns.size(); ++i) {
    const std::string& user = turns[i].user;
    const bool touches =
        text.empty() || user.empty() || is_space(text.back()) || is_space(user.front());
    if (!touches) text += ' ';
    text += user;
    if (turns[i].answer) text += turns[i].answer->content;
  }
  return text;
}

}  // namespace forge::cli::chat
