#include "forge/server/openai/chat_answer.h"

#include "forge/base/check.h"
#include "forge/server/openai/token_logprobs.h"

namespace forge::server::openai {

ChatAnswer::ChatAnswer(const ServedModel& served, const CallInfo& call, const Delivery& delivery,
                       ChatShape shape)
    : TextAnswer(served, call, delivery, shape.id,
                 delivery.stream ? "chat.completion.chunk" : "chat.completion"),
      served_(served),
      shape_(std::move(shape)) {
  Choice choice;
  if (shape_.think_tags) {
    choice.splitter.emplace(*shape_.think_tags, shape_.text_start);
    close_id_ = served.tokens.find_token(shape_.think_tags->close);
  }
  choices_.assign(static_cast<size_t>(shape_.n), choice);
}

// Adds an event's text and tokens to the choice.
void ChatAnswer::split(Choice& choice, const StreamEvent& event) {
  if (choice.splitter) {
    const auto add = [&](const ReasoningSplitter::Parts& parts) {
      choice.reasoning += parts.reasoning;
      choice.content += parts.content;
    };
    add(choice.splitter->add(event.text));
    if (event.finish_reason) add(choice.splitter->flush());
  } else {
    choice.content += event.text;
  }
  for (const int32_t id : event.ids) {
    if (!choice.in_thoughts) break;
    ++choice.n_thought_tokens;
    if (id == close_id_) choice.in_thoughts = false;
  }
}

void ChatAnswer::take(size_t request, const StreamEvent& event, std::string& out) {
  FORGE_CHECK(request == 0 && event.choice >= 0 && event.choice < shape_.n,
              "choice {} of request {}", event.choice, request);
  Choice& choice = choices_[static_cast<size_t>(event.choice)];
  split(choice, event);
  if (shape_.logprobs) {
    choice.logprobs.insert(choice.logprobs.end(), event.logprobs.begin(), event.logprobs.end());
  }
  if (event.finish_reason) choice.ending.emplace(event);
  if (!is_stream()) return;
  if (!choice.is_begun) out += chunk(choice, event.choice, Part::kRole);
  choice.is_begun = true;
  if (!choice.content.empty() || !choice.reasoning.empty() || !choice.logprobs.empty()) {
    out += chunk(choice, event.choice, Part::kDelta);
    choice.content.clear();
    choice.reasoning.clear();
    choice.logprobs.clear();
  }
  if (event.finish_reason) out += chunk(choice, event.choice, Part::kFinish);
}

void ChatAnswer::write_delta(json::Writer& writer, const Choice& choice, Part part) const {
  writer.begin_object();
  if (part == Part::kRole) {
    writer.member("role", "assistant").member("content", "").key("refusal").null();
  } else if (part == Part::kDelta) {
    if (!choice.reasoning.empty()) writer.member("reasoning_content", choice.reasoning);
    // Log-probabilities of tokens without text yet come with an empty content.
    if (!choice.content.empty() || choice.reasoning.empty()) {
      writer.member("content", choice.content);
    }
  }
  writer.end_object();
}

std::string ChatAnswer::chunk(const Choice& choice, int32_t index, Part part) const {
  json::Writer writer;
  open(writer);
  writer.begin_object().member("index", index);
  writer.key("delta");
  write_delta(writer, choice, part);
  writer.key("logprobs");
  if (part == Part::kDelta && !choice.logprobs.empty()) {
    write_chat_logprobs(writer, served_.tokens, choice.logprobs);
  } else {
    writer.null();
  }
  write_finish(writer, part == Part::kFinish ? choice.ending : std::nullopt);
  writer.end_object();
  return close_chunk(writer);
}

std::optional<int64_t> ChatAnswer::reasoning_tokens() const {
  if (!close_id_) return std::nullopt;
  int64_t count = 0;
  for (const Choice& choice : choices_) {
    if (choice.splitter->has_reasoning()) count += choice.n_thought_tokens;
  }
  return count;
}

void ChatAnswer::write_choice(json::Writer& writer, const Choice& choice, int32_t index) const {
  FORGE_CHECK(choice.ending.has_value(), "choice {} has not finished", index);
  writer.begin_object();
  writer.member("index", index);
  writer.key("message").begin_object();
  writer.member("role", "assistant").member("content", choice.content);
  if (choice.splitter && choice.splitter->has_reasoning()) {
    writer.member("reasoning_content", choice.reasoning);
  }
  writer.key("refusal").null();
  writer.end_object();
  writer.key("logprobs");
  if (shape_.logprobs) {
    write_chat_logprobs(writer, served_.tokens, choice.logprobs);
  } else {
    writer.null();
  }
  write_finish(writer, choice.ending);
  writer.end_object();
}

void ChatAnswer::write_choices(json::Writer& writer) {
  for (int32_t i = 0; i < shape_.n; ++i) write_choice(writer, choices_[static_cast<size_t>(i)], i);
}

}  // namespace forge::server::openai
