// What the answers of both kinds of generated text share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forge/server/openai/answer.h"

namespace forge::server::openai {

/// How a choice ended.
struct Ending {
  /// last: has a finish reason.
  explicit Ending(const StreamEvent& last);

  FinishReason reason;      // none that ends the whole call
  std::string stop_string;  // where that was the reason
  std::optional<int32_t> stop_id;
};

/// "finish_reason", null where nothing has ended, and "stop_reason" as vLLM has it: the stop string
/// or the id of the stop token that ended the choice.
void write_finish(json::Writer& writer, const std::optional<Ending>& ending);

/// A list of choices after a head, with the usage at the end.
class TextAnswer : public Answer {
 protected:
  /// object: of the chunks where streaming, else of the body.
  TextAnswer(const ServedModel& served, const CallInfo& call, const Delivery& delivery,
             std::string id, std::string_view object);

  /// The object up to its list of choices, whose elements are to follow.
  void open(json::Writer& writer) const;
  /// The event of a chunk that has its choice.
  [[nodiscard]] std::string close_chunk(json::Writer& writer) const;

  /// The elements of a whole answer's list.
  virtual void write_choices(json::Writer& writer) = 0;
  /// Of the generated tokens, where known.
  [[nodiscard]] virtual std::optional<int64_t> reasoning_tokens() const { return std::nullopt; }

 private:
  std::string end(const Usage& usage) final;

  std::string id_;
  std::string_view object_;  // "chat.completion.chunk"
  int64_t created_;
  std::string model_;
  std::string system_fingerprint_;
};

}  // namespace forge::server::openai
