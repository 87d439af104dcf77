#include "forge/server/batch/batch_call.h"

#include <algorithm>
#include <utility>

#include "forge/server/openai/usage.h"

namespace forge::server::batch {
namespace {

constexpr int kOkStatus = 200;

std::vector<Usage> usages_of(const std::vector<Stream>& streams) {
  std::vector<Usage> usages;
  for (const Stream& stream : streams) usages.push_back(stream.usage());
  return usages;
}

}  // namespace

BatchCall::BatchCall(LineKey key, std::string custom_id, openai::Call call)
    : key_(key), custom_id_(std::move(custom_id)), call_(std::move(call)) {
  for (const Request& request : call_.requests) n_sequences_ += request.n;
}

int64_t BatchCall::bytes(int32_t context_len) const {
  int64_t n_tokens = 0;
  for (const Request& request : call_.requests) {
    const auto n_prompt = static_cast<int64_t>(request.prompt.size());
    const int64_t most = n_prompt + request.max_tokens.value_or(context_len);
    // The request here, and each choice in the engine.
    n_tokens += n_prompt + request.n * std::max(std::min<int64_t>(most, context_len), n_prompt);
  }
  return n_tokens * static_cast<int64_t>(sizeof(int32_t));
}

bool BatchCall::submit(Engine& engine, const std::function<void()>& on_news) {
  while (streams_.size() < call_.requests.size() && !failure()) {
    // A copy: a busy engine keeps nothing.
    Result<Stream> stream = engine.submit(call_.requests[streams_.size()], on_news);
    if (stream.ok()) {
      streams_.push_back(std::move(*stream));
    } else if (stream.error().kind == ErrorKind::kBusy) {
      return false;
    } else {
      (void)call_.answer->fail(openai::to_api_error(stream.error()));
    }
  }
  return true;
}

void BatchCall::take_news() {
  for (size_t i = 0; i < streams_.size(); ++i) {
    for (const StreamEvent& event : streams_[i].poll()) (void)call_.answer->add(i, event);
  }
}

bool BatchCall::is_done() const {
  if (failure()) return true;
  return streams_.size() == call_.requests.size() &&
         std::all_of(streams_.begin(), streams_.end(),
                     [](const Stream& stream) { return stream.is_done(); });
}

bool BatchCall::is_unanswered() const {
  // A timeout is one that the line asked for.
  return failure() && failure()->status >= 500 && failure()->code != "timeout";
}

Usage BatchCall::usage() const { return openai::total(usages_of(streams_)); }

std::string BatchCall::finish() {
  if (const auto& error = failure()) {
    return response_line(key_, custom_id_, error->status, openai::to_json(*error));
  }
  return response_line(key_, custom_id_, kOkStatus, call_.answer->finish(usages_of(streams_)));
}

}  // namespace forge::server::batch
