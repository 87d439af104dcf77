// Any bytes as the body of every route: refused with a message that is itself JSON, or requests
// within their bounds, and an answer whose chunks are JSON.
#include <cstdlib>
#include <string>

#include "tests/server/openai_fixture.h"

namespace {

using namespace forge;
using namespace forge::server::openai;

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename T>
void check_error(const Parsed<T>& parsed) {
  const auto* error = std::get_if<ApiError>(&parsed);
  if (error == nullptr) return;
  require(error->status >= 400 && error->status < 500 && !error->message.empty());
  require(json::Document::parse(to_json(*error), "error").ok());
}

void check_events(std::string_view stream) {
  while (!stream.empty()) {
    const size_t end = stream.find("\n\n");
    require(stream.starts_with("data: ") && end != stream.npos);
    const std::string_view event = stream.substr(6, end - 6);
    require(event == "[DONE]" || json::Document::parse(event, "event").ok());
    stream.remove_prefix(end + 2);
  }
}

void check_request(const Request& request, const ServedModel& served) {
  require(validate(request.sampling, served.tokens.vocab_size()).ok());
  require(!request.prompt.empty() && request.n >= 1 && request.n <= served.limits.max_n);
  for (const int32_t id : request.prompt) require(id >= 0 && id < served.tokens.vocab_size());
  for (const std::string& stop : request.stop_strings) require(!stop.empty());
}

// Feeds each choice a text that is cut inside a character and opens thoughts, then its end.
void check_answer(const Call& call) {
  std::string out;
  for (size_t r = 0; r < call.requests.size(); ++r) {
    const Request& request = call.requests[r];
    for (int32_t choice = 0; choice < request.n; ++choice) {
      StreamEvent event = text_event(choice, choice % 2 == 0 ? "<think>\xE2\x82" : "\xAC");
      if (request.prompt_logprobs && choice == 0) {
        event.prompt_logprobs.resize(request.prompt.size() - 1);
      }
      if (request.embedding) event.embedding = {1.0f, 2.0f, 3.0f, 4.0f};
      out += call.answer->add(r, event);
      out += call.answer->add(r, end_event(choice));
    }
  }
  require(!call.answer->failure());
  out += call.answer->finish(std::vector<Usage>(call.requests.size()));
  if (call.answer->is_stream()) return check_events(out);
  require(json::Document::parse(out, "body").ok());
}

void check_call(const Parsed<Call>& parsed, const ServedModel& served) {
  check_error(parsed);
  const auto* call = std::get_if<Call>(&parsed);
  if (call == nullptr) return;
  for (const Request& request : call->requests) check_request(request, served);
  check_answer(*call);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static TestModel model("{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}</think>");
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const bool is_lenient : {false, true}) {
    model.served.is_lenient = is_lenient;
    check_call(model.completion(body), model.served);
    check_call(model.chat_call(body), model.served);
    check_call(model.embeddings(body), model.served);
    check_error(model.render(body));
    check_error(model.tokenize(body));
    check_error(model.detokenize(body));
  }
  return 0;
}
