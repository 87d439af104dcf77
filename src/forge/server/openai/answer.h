// One API call between its request and its last byte: what the engine is to do, and the answer that
// grows from the engine's news.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/request.h"
#include "forge/server/openai/api_error.h"
#include "forge/server/openai/generation_fields.h"
#include "forge/server/openai/served_model.h"

namespace forge::server::openai {

/// Builds one answer. A call is one or several engine requests; each event goes to add() with the
/// index of its request, in the order of that request's stream. One thread at a time.
///
/// Streaming, add() and finish() return the text of server-sent events to write now (often empty).
/// Otherwise add() returns "" and finish() the JSON body, unless there was a failure(). The texts
/// of all chunks of a choice add up to the text of the whole answer.
class Answer {
 public:
  virtual ~Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  [[nodiscard]] std::string add(size_t request, const StreamEvent& event);
  /// When every choice of every request has had its last event. One usage per request.
  [[nodiscard]] std::string finish(std::span<const Usage> usages);
  /// Ends the answer with an error that came from elsewhere; what to write, as with add().
  [[nodiscard]] std::string fail(ApiError error);

  /// Why there is no whole answer: the rest of the call is to be cancelled, add() and finish() have
  /// nothing more to say, and without streaming this is the answer.
  [[nodiscard]] const std::optional<ApiError>& failure() const { return failure_; }
  [[nodiscard]] bool is_stream() const { return delivery_.stream; }

 protected:
  explicit Answer(const Delivery& delivery) : delivery_(delivery) {}

  /// Takes news that is no failure; out: where streaming puts its chunks.
  virtual void take(size_t request, const StreamEvent& event, std::string& out) = 0;
  /// The whole body, or the last event before [DONE] where streaming ("": none).
  [[nodiscard]] virtual std::string end(const Usage& usage) = 0;

  [[nodiscard]] const Delivery& delivery() const { return delivery_; }

 private:
  Delivery delivery_;
  std::optional<ApiError> failure_;
};

/// A validated call: submit the requests, feed the answer.
struct Call {
  std::vector<Request> requests;
  std::unique_ptr<Answer> answer;
  std::vector<std::string> ignored_fields;  // unknown ones, for the log of a lenient server
};

/// "data: JSON" and an empty line.
[[nodiscard]] std::string sse_event(std::string_view json);

}  // namespace forge::server::openai
