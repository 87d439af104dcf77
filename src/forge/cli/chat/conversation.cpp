#include "forge/cli/chat/conversation.h"

#include <algorithm>
#include <utility>

#include "forge/base/check.h"

namespace forge::cli::chat {

size_t Conversation::n_messages() const {
  size_t n = system_ ? 1 : 0;
  for (const Turn& turn : turns_) n += turn.answer ? 2 : 1;
  return n;
}

void Conversation::add_user(std::string text) {
  turns_.push_back({.user = std::move(text), .answer = std::nullopt});
}

void Conversation::set_answer(Answer answer) {
  FORGE_CHECK(!turns_.empty(), "an answer to nothing");
  turns_.back().answer = std::move(answer);
}

std::optional<Turn> Conversation::undo() {
  if (turns_.empty()) return std::nullopt;
  Turn last = std::move(turns_.back());
  turns_.pop_back();
  // Where all that the model saw is gone, what was dropped before has room again.
  if (first_in_context_ >= turns_.size()) first_in_context_ = 0;
  return last;
}

bool Conversation::drop_answer() {
  if (turns_.empty()) return false;
  turns_.back().answer.reset();
  ++turns_.back().n_regenerated;
  return true;
}

void Conversation::restore_answer(std::optional<Answer> answer) {
  FORGE_CHECK(!turns_.empty() && turns_.back().n_regenerated > 0, "nothing was dropped");
  turns_.back().answer = std::move(answer);
  --turns_.back().n_regenerated;
}

bool Conversation::drop_oldest() {
  if (first_in_context_ + 1 >= turns_.size()) return false;
  ++first_in_context_;
  return true;
}

void Conversation::clear() {
  turns_.clear();
  first_in_context_ = 0;
}

}  // namespace forge::cli::chat
