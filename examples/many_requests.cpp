// Many requests at once, as a server runs them:  many_requests [MODEL]
//
// One thread reads all streams; the engine's thread only tells it which ones have news, by way of
// on_news. The requests have priorities, clients that share fairly, and a limit on time; one is
// cancelled on the way, and one does not fit.
#include <condition_variable>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "forge/engine.h"
#include "forge/model.h"

namespace {

/// Streams with news, by number. on_news is called from the engine's thread, so it must do no more
/// than put() does. Outlives the engine that calls it.
class News {
 public:
  void put(size_t stream) {
    {
      const std::lock_guard lock(mutex_);
      streams_.push_back(stream);
    }
    has_some_.notify_one();
  }

  size_t take() {
    std::unique_lock lock(mutex_);
    has_some_.wait(lock, [this] { return !streams_.empty(); });
    const size_t stream = streams_.front();
    streams_.pop_front();
    return stream;
  }

 private:
  std::mutex mutex_;
  std::condition_variable has_some_;
  std::deque<size_t> streams_;
};

/// One answer as it grows.
struct Answer {
  forge::Stream stream;
  std::string text = {};
  std::string end = {};
};

forge::Request make_request(const forge::Model& model, size_t number) {
  static const std::vector<std::string> prompts = {"The little dog", "One day, a bird",
                                                   "The king had", "Tom and Lily went"};
  forge::Request request;
  request.prompt = model.tokenize(prompts[number % prompts.size()]);
  request.max_tokens = 40;
  request.sampling.seed = number;  // the text depends on this alone, not on what else runs
  request.stop_strings = {"."};
  request.client = number % 2 == 0 ? "alice" : "bob";  // an equal share for each
  request.priority = number == 0 ? -1 : 0;             // before all others
  request.queue_timeout = std::chrono::seconds(60);
  return request;
}

/// Takes a stream's news. True: that was its end.
bool read(Answer& answer) {
  for (const forge::StreamEvent& event : answer.stream.poll()) {
    answer.text += event.text;
    if (event.error) {
      answer.end = event.error->message;
    } else if (event.finish_reason) {
      answer.end = forge::describe(*event.finish_reason);
    }
  }
  return answer.stream.is_done();
}

int fail(const forge::Error& error) {
  std::cerr << "many_requests: " << error.message << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr size_t kRequests = 12;
  const auto model = forge::Model::load({.path = argc > 1 ? argv[1] : "bundled"});
  if (!model.ok()) return fail(model.error());
  News news;
  // Room for four at a time; the others wait for their turn.
  const auto engine = forge::Engine::create(*model, {.context_len = 128, .max_sequences = 4});
  if (!engine.ok()) return fail(engine.error());

  std::vector<Answer> answers;
  for (size_t i = 0; i < kRequests; ++i) {
    auto stream = (*engine)->submit(make_request(*model, i), [&news, i] { news.put(i); });
    if (!stream.ok()) return fail(stream.error());
    answers.push_back({.stream = std::move(*stream)});
  }
  answers.back().stream.cancel();

  forge::Request too_long = make_request(*model, 0);
  too_long.prompt.resize(1000, too_long.prompt.back());
  const auto refused = (*engine)->submit(std::move(too_long));
  if (refused.ok()) return fail({"a prompt of 1000 tokens was taken into a context of 128"});
  std::cout << "refused: " << refused.error().message << "\n";

  std::vector<bool> is_done(kRequests, false);
  for (size_t n_left = kRequests; n_left > 0;) {
    const size_t number = news.take();
    if (is_done[number] || !read(answers[number])) continue;
    is_done[number] = true;
    --n_left;
  }
  for (size_t i = 0; i < kRequests; ++i) {
    const forge::Usage usage = answers[i].stream.usage();
    std::cout << i << ": " << answers[i].text << " [" << answers[i].end << ", "
              << usage.generated_tokens << " tokens]\n";
  }
  const forge::EngineStats stats = (*engine)->stats();
  std::cout << stats.generated_tokens << " tokens in " << stats.steps << " steps\n";
  return 0;
}
