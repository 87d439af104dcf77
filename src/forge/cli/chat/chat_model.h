// The model that a conversation is with: engine, chat template, and conversations as prompts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/cli/chat/chat_options.h"
#include "forge/cli/chat/conversation.h"
#include "forge/cli/chat/settings.h"
#include "forge/engine.h"
#include "forge/server/openai/chat_prompt.h"

namespace forge::cli::chat {

/// A conversation as the model sees it.
struct ChatText {
  std::vector<int32_t> ids;
  server::openai::TextStart start = server::openai::TextStart::kUnknown;
};

/// One thread. With a chat template a conversation is rendered by it. Without one (plain) there are
/// no roles: what was typed is continued, and so is a continuation that was cut short; where the
/// model had ended its text, the next message begins a new one.
class ChatModel {
 public:
  /// Loads a model and starts an engine for one conversation, which keeps what it has computed.
  /// Says on stderr what runs where, unless flags.quiet.
  [[nodiscard]] static Result<std::unique_ptr<ChatModel>> load(const ChatFlags& flags,
                                                               const ModelOptions& model);

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] const ModelInfo& info() const { return engine_->model().info(); }
  [[nodiscard]] int32_t context_len() const { return engine_->info().context_len; }
  /// There is no chat template in use.
  [[nodiscard]] bool is_plain() const { return !prompt_.has_value(); }
  /// Tags around thoughts, where the template knows some.
  [[nodiscard]] std::optional<server::openai::ThinkTags> think_tags() const;

  /// Fails on a setting that the model has no use for.
  [[nodiscard]] Status check(const Settings& settings) const;
  /// The part of the conversation that is in context, up to its last user's message.
  [[nodiscard]] Result<ChatText> text_of(const Conversation& conversation,
                                         const Settings& settings) const;

 private:
  ChatModel(std::unique_ptr<Engine> engine, std::optional<server::openai::ChatPrompt> prompt);
  [[nodiscard]] ChatText plain_text(const Conversation& conversation) const;

  std::unique_ptr<Engine> engine_;
  std::optional<server::openai::ChatPrompt> prompt_;
};

/// The text that a model without a template goes on with; "" where there are no turns.
[[nodiscard]] std::string plain_prompt(const Conversation& conversation);

}  // namespace forge::cli::chat
