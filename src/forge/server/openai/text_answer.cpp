#include "forge/server/openai/text_answer.h"

#include <utility>

#include "forge/server/openai/usage.h"

namespace forge::server::openai {

Ending::Ending(const StreamEvent& last) : reason(*last.finish_reason) {
  if (reason == FinishReason::kStopString) stop_string = last.stop_string;
  if (reason == FinishReason::kStopToken && !last.ids.empty()) stop_id = last.ids.back();
}

void write_finish(json::Writer& writer, const std::optional<Ending>& ending) {
  writer.key("finish_reason");
  if (!ending) {
    writer.null();
    return;
  }
  writer.value(finish_word(ending->reason));
  if (ending->reason == FinishReason::kStopString) {
    writer.member("stop_reason", ending->stop_string);
  } else if (ending->stop_id) {
    writer.member("stop_reason", *ending->stop_id);
  }
}

TextAnswer::TextAnswer(const ServedModel& served, const CallInfo& call, const Delivery& delivery,
                       std::string id, std::string_view object)
    : Answer(delivery),
      id_(std::move(id)),
      object_(object),
      created_(call.created),
      model_(served.names.front()),
      system_fingerprint_(served.system_fingerprint) {}

void TextAnswer::open(json::Writer& writer) const {
  writer.begin_object();
  writer.member("id", id_);
  writer.member("object", object_);
  writer.member("created", created_);
  writer.member("model", model_);
  writer.member("system_fingerprint", system_fingerprint_);
  writer.key("choices").begin_array();
}

std::string TextAnswer::close_chunk(json::Writer& writer) const {
  writer.end_array();
  if (delivery().include_usage) writer.key("usage").null();
  writer.end_object();
  return sse_event(writer.text());
}

std::string TextAnswer::end(const Usage& usage) {
  if (is_stream() && !delivery().include_usage) return {};
  json::Writer writer;
  open(writer);
  if (!is_stream()) write_choices(writer);
  writer.end_array().key("usage");
  write_usage(writer, usage, reasoning_tokens());
  writer.end_object();
  return is_stream() ? sse_event(writer.text()) : writer.text();
}

}  // namespace forge::server::openai
