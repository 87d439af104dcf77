// A model's chat template, and what it takes to use it well.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/server/openai/chat_messages.h"
#include "forge/server/openai/reasoning.h"
#include "forge/text/chat_template.h"

namespace forge::server::openai {

/// Immutable: any thread may use it, and several at once.
class ChatPrompt {
 public:
  /// Compiles a template and tries out whether it reads content as text or as parts. origin names
  /// it in errors; bos and eos are the spellings of these tokens, "" where there is none.
  [[nodiscard]] static Result<ChatPrompt> create(std::string source, std::string_view origin,
                                                 std::string bos, std::string eos);

  [[nodiscard]] const MessageForm& form() const { return form_; }
  /// Whether the template's source has this name in it.
  [[nodiscard]] bool mentions(std::string_view name) const;
  [[nodiscard]] const std::optional<ThinkTags>& think_tags() const { return think_tags_; }

  /// input with the messages of read_messages(); bos_token and eos_token are filled in.
  [[nodiscard]] Result<std::string> render(text::ChatInput input) const;

  /// Where the text that follows a prompt begins. continued: the content that a continued message
  /// has so far, nothing where a new message begins.
  [[nodiscard]] TextStart text_start(std::string_view prompt,
                                     const std::optional<std::string_view>& continued) const;

 private:
  ChatPrompt(std::string source, text::ChatTemplate compiled, std::string bos, std::string eos);

  std::string source_;
  text::ChatTemplate template_;
  std::string bos_;
  std::string eos_;
  MessageForm form_;
  std::optional<ThinkTags> think_tags_;
};

/// Stands at the end of the last message while that is rendered, so that the prompt can be cut
/// there. Its blank shows whether the template keeps the message's own white space.
inline constexpr std::string_view kContinueMark = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The prompt up to the end of the last message, which was rendered with kContinueMark appended:
/// the model goes on with that message. Fails where the mark has not come through. Source:
/// transformers' apply_chat_template(continue_final_message=True), utils/chat_template_utils.py.
[[nodiscard]] Result<std::string> cut_at_mark(std::string rendered);

}  // namespace forge::server::openai
