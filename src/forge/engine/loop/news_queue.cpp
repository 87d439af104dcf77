#include "forge/engine/loop/news_queue.h"

#include <utility>

namespace forge::engine {

void News::clear() {
  tokens.clear();
  logprobs.clear();
  ends.clear();
  prompt_logprobs.clear();
  embedding.clear();
}

NewsQueue::NewsQueue(std::function<void()> on_news) : on_news_(std::move(on_news)) {
  constexpr size_t kSteps = 16;  // that a reader may fall behind before the queue grows
  news_.tokens.reserve(kSteps);
}

void NewsQueue::announce(std::unique_lock<std::mutex> lock) {
  const bool is_first = !std::exchange(is_announced_, true);
  lock.unlock();
  has_news_.notify_one();
  if (is_first && on_news_) on_news_();
}

void NewsQueue::append(const TokenNews& token, RequestTimes::TimePoint now) {
  if (times_.first_token == RequestTimes::TimePoint()) times_.first_token = now;
  times_.last_token = now;
  news_.tokens.push_back(token);
}

void NewsQueue::add_token(const TokenNews& token, RequestTimes::TimePoint now) {
  std::unique_lock lock(mutex_);
  append(token, now);
  announce(std::move(lock));
}

void NewsQueue::add_token(const TokenNews& token, PositionLogprobs logprobs,
                          RequestTimes::TimePoint now) {
  std::unique_lock lock(mutex_);
  news_.logprobs.push_back(std::move(logprobs));
  append(token, now);
  announce(std::move(lock));
}

void NewsQueue::add_end(EndNews end, int32_t n_preemptions) {
  std::unique_lock lock(mutex_);
  usage_.preemptions += n_preemptions;
  news_.ends.push_back(std::move(end));
  announce(std::move(lock));
}

void NewsQueue::set_prompt_logprobs(std::vector<PositionLogprobs> logprobs) {
  const std::lock_guard lock(mutex_);
  news_.prompt_logprobs = std::move(logprobs);
}

void NewsQueue::set_embedding(std::vector<float> embedding) {
  const std::lock_guard lock(mutex_);
  news_.embedding = std::move(embedding);
}

void NewsQueue::set_submitted(RequestTimes::TimePoint now) {
  const std::lock_guard lock(mutex_);
  times_.submitted = now;
}

void NewsQueue::set_started(RequestTimes::TimePoint now, int32_t cached_tokens) {
  const std::lock_guard lock(mutex_);
  times_.started = now;
  usage_.cached_tokens = cached_tokens;
}

bool NewsQueue::take(News& news) {
  news.clear();
  const std::lock_guard lock(mutex_);
  is_announced_ = false;
  if (news_.is_empty()) return false;
  std::swap(news, news_);
  return true;
}

bool NewsQueue::wait_for(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return has_news_.wait_for(lock, timeout, [this] { return !news_.is_empty(); });
}

RequestTimes NewsQueue::times() const {
  const std::lock_guard lock(mutex_);
  return times_;
}

Usage NewsQueue::usage() const {
  const std::lock_guard lock(mutex_);
  return usage_;
}

}  // namespace forge::engine
