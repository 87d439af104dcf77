// The answer of POST /v1/chat/completions, streamed or whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forge/server/openai/reasoning.h"
#include "forge/server/openai/text_answer.h"

namespace forge::server::openai {

struct ChatShape {
  std::string id;
  int32_t n = 1;
  bool logprobs = false;
  std::optional<ThinkTags> think_tags;  // nothing: all text is content
  TextStart text_start = TextStart::kUnknown;
};

/// One engine request; its choices are those of the answer.
class ChatAnswer final : public TextAnswer {
 public:
  /// served must outlive it.
  ChatAnswer(const ServedModel& served, const CallInfo& call, const Delivery& delivery,
             ChatShape shape);

 private:
  struct Choice {
    std::optional<ReasoningSplitter> splitter;
    bool is_begun = false;
    std::string content;  // whole answers only, as are the next two
    std::string reasoning;
    std::vector<PositionLogprobs> logprobs;
    bool in_thoughts = true;       // no closing tag among the tokens so far
    int64_t n_thought_tokens = 0;  // up to the closing tag, that included
    std::optional<Ending> ending;
  };
  enum class Part { kRole, kDelta, kFinish };

  void take(size_t request, const StreamEvent& event, std::string& out) override;
  void write_choices(json::Writer& writer) override;
  [[nodiscard]] std::optional<int64_t> reasoning_tokens() const override;

  void split(Choice& choice, const StreamEvent& event);
  std::string chunk(const Choice& choice, int32_t index, Part part) const;
  void write_delta(json::Writer& writer, const Choice& choice, Part part) const;
  void write_choice(json::Writer& writer, const Choice& choice, int32_t index) const;

  const ServedModel& served_;
  ChatShape shape_;
  std::optional<int32_t> close_id_;  // of the closing tag, where that is one token
  std::vector<Choice> choices_;
};

}  // namespace forge::server::openai
