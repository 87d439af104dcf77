#include "forge/server/openai/chat_prompt.h"

#include <utility>

namespace forge::server::openai {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

// Whether a message of the user's comes through in this form. Many templates refuse or ignore what
// they do not expect, so there is no other way to know.
bool shows_content(const text::ChatTemplate& compiled, std::string_view content_json) {
  constexpr std::string_view kProbe = "forge-probe";
  const auto messages = json::Document::parse(
      fmt::format(R"([{{"role":"user","content":{}}}])", content_json), "probe");
  text::ChatInput input;
  input.messages = messages.value().root();
  const Result<std::string> prompt = compiled.render(input);
  return prompt.ok() && prompt.value().find(kProbe) != std::string::npos;
}

bool reads_parts_only(const text::ChatTemplate& compiled) {
  return !shows_content(compiled, R"("forge-probe")") &&
         shows_content(compiled, R"([{"type":"text","text":"forge-probe"}])");
}

}  // namespace

ChatPrompt::ChatPrompt(std::string source, text::ChatTemplate compiled, std::string bos,
                       std::string eos)
    : source_(std::move(source)),
      template_(std::move(compiled)),
      bos_(std::move(bos)),
      eos_(std::move(eos)),
      think_tags_(find_think_tags(source_)) {
  form_.content_as_parts = reads_parts_only(template_);
  form_.has_developer_role = mentions("developer");
}

Result<ChatPrompt> ChatPrompt::create(std::string source, std::string_view origin, std::string bos,
                                      std::string eos) {
  FORGE_TRY(text::ChatTemplate compiled, text::ChatTemplate::compile(source, origin));
  return ChatPrompt(std::move(source), std::move(compiled), std::move(bos), std::move(eos));
}

bool ChatPrompt::mentions(std::string_view name) const {
  return source_.find(name) != std::string::npos;
}

Result<std::string> ChatPrompt::render(text::ChatInput input) const {
  input.bos_token = bos_;
  input.eos_token = eos_;
  return template_.render(input);
}

TextStart ChatPrompt::text_start(std::string_view prompt,
                                 const std::optional<std::string_view>& continued) const {
  if (!think_tags_) return TextStart::kUnknown;
  if (continued) {
    const size_t open = continued->rfind(think_tags_->open);
    const size_t close = continued->rfind(think_tags_->close);
    const bool is_open = open != continued->npos && (close == continued->npos || close < open);
    return is_open ? TextStart::kInThoughts : TextStart::kUnknown;
  }
  const std::string_view end = prompt.substr(0, prompt.find_last_not_of(kSpace) + 1);
  return end.ends_with(think_tags_->open) ? TextStart::kInThoughts : TextStart::kUnknown;
}

Result<std::string> cut_at_mark(std::string rendered) {
  const std::string_view trimmed = kContinueMark.substr(0, kContinueMark.size() - 1);
  const size_t mark = rendered.rfind(trimmed);
  if (mark == std::string::npos) {
    return make_error("the chat template leaves the last message out, so it cannot be continued");
  }
  const bool keeps_space =
      std::string_view(rendered).substr(mark, kContinueMark.size()) == kContinueMark;
  rendered.resize(mark);
  if (!keeps_space) rendered.resize(rendered.find_last_not_of(kSpace) + 1);
  return rendered;
}

}  // namespace forge::server::openai
