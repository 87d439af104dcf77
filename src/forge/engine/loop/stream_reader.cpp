#include "forge/engine/loop/stream_reader.h"

#include <algorithm>
#include <utility>

#include "forge/base/result.h"

namespace forge::engine {
namespace {

bool is_empty(const StreamEvent& event) {
  return event.ids.empty() && event.text.empty() && !event.finish_reason &&
         event.embedding.empty() && event.prompt_logprobs.empty();
}

}  // namespace

StreamReader::StreamReader(std::shared_ptr<LiveRequest> request, std::shared_ptr<Inbox> inbox)
    : request_(std::move(request)),
      inbox_(std::move(inbox)),
      n_open_(request_->request.n),
      n_prompt_(request_->choices.front()->n_prompt) {}

Result<std::unique_ptr<StreamReader>> StreamReader::create(std::shared_ptr<LiveRequest> request,
                                                           const text::Tokenizer& tokenizer,
                                                           std::shared_ptr<Inbox> inbox) {
  std::unique_ptr<StreamReader> reader(new StreamReader(request, std::move(inbox)));
  const Request& asked = request->request;
  FORGE_TRY(const text::StopMatcher matcher, text::StopMatcher::create(asked.stop_strings));
  text::Detokenizer detokenizer(tokenizer, {.skip_special = asked.skip_special});
  // Text continues the prompt's: a tokenizer that drops the first token's space must not do so
  // here.
  if (!asked.embedding) {
    for (const int32_t id : request->choices.front()->tokens) (void)detokenizer.add(id);
  }
  reader->texts_ = std::vector<Text>(request->choices.size(), Text(detokenizer, matcher));
  return reader;
}

StreamReader::~StreamReader() {
  if (n_open_ > 0) cancel();
}

void StreamReader::cancel() {
  inbox_->put({.kind = Inbox::Order::Kind::kCancel, .request = request_});
}

std::vector<StreamEvent> StreamReader::wait() {
  while (n_open_ > 0) {
    std::vector<StreamEvent> events = wait_for(std::chrono::hours(1));
    if (!events.empty()) return events;
  }
  return {};
}

std::vector<StreamEvent> StreamReader::wait_for(std::chrono::milliseconds timeout) {
  if (n_open_ == 0 || !request_->news.wait_for(timeout)) return {};
  return poll();
}

// One event per choice that has news, in the order in which the choices first appear.
std::vector<StreamEvent> StreamReader::poll() {
  std::vector<StreamEvent> events;
  if (n_open_ == 0 || !request_->news.take(news_)) return events;
  const auto event_of = [&](int32_t choice) -> StreamEvent& {
    const auto found = std::find_if(events.begin(), events.end(),
                                    [&](const StreamEvent& e) { return e.choice == choice; });
    if (found != events.end()) return *found;
    events.emplace_back().choice = choice;
    return events.back();
  };
  if (!news_.prompt_logprobs.empty()) {
    event_of(0).prompt_logprobs = std::move(news_.prompt_logprobs);
  }
  if (!news_.embedding.empty()) event_of(0).embedding = std::move(news_.embedding);
  for (size_t i = 0; i < news_.tokens.size(); ++i) {
    const TokenNews& token = news_.tokens[i];
    read_token(token, news_.logprobs.empty() ? nullptr : &news_.logprobs[i],
               event_of(token.choice));
  }
  for (EndNews& end : news_.ends) read_end(end, event_of(end.choice));
  std::erase_if(events, is_empty);
  return events;
}

void StreamReader::read_token(const TokenNews& token, PositionLogprobs* logprobs,
                              StreamEvent& event) {
  Text& text = texts_[static_cast<size_t>(token.choice)];
  if (text.is_done) return;  // chosen before the engine heard of a stop string
  ++n_generated_;
  event.ids.push_back(token.id);
  if (logprobs != nullptr) event.logprobs.push_back(std::move(*logprobs));
  const bool may_stop = text.n_tokens >= request_->request.min_tokens;
  ++text.n_tokens;
  if (!token.has_text) return;
  const std::string piece = text.detokenizer.add(token.id);
  event.text += may_stop ? text.matcher.add(piece) : piece;
  if (text.matcher.matched()) stop(token.choice, event);
}

void StreamReader::stop(int32_t choice, StreamEvent& event) {
  finish(texts_[static_cast<size_t>(choice)], FinishReason::kStopString, event);
  inbox_->put({.kind = Inbox::Order::Kind::kStopChoice, .request = request_, .choice = choice});
}

void StreamReader::read_end(EndNews& end, StreamEvent& event) {
  Text& text = texts_[static_cast<size_t>(end.choice)];
  if (text.is_done) return;
  // What was held back belongs to the text unless a stop string has ended it; it may hold one.
  event.text += text.matcher.add(text.detokenizer.flush());
  event.text += text.matcher.flush();
  if (text.matcher.matched()) return finish(text, FinishReason::kStopString, event);
  event.error = std::move(end.error);
  finish(text, end.reason, event);
}

void StreamReader::finish(Text& text, FinishReason reason, StreamEvent& event) {
  if (text.matcher.matched()) event.stop_string = *text.matcher.matched();
  event.finish_reason = reason;
  text.is_done = true;
  --n_open_;
}

Usage StreamReader::usage() const {
  Usage usage = request_->news.usage();
  usage.prompt_tokens = n_prompt_;
  usage.generated_tokens = n_generated_;
  return usage;
}

}  // namespace forge::engine
