// Trusts: the queue's promise, a log-probability for each token or none at all, with a reader that
// takes at any moment.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "forge/engine/loop/news_queue.h"

namespace forge::engine {
namespace {

// A reader that came between a log-probability and its token took the one without the other.
TEST(NewsQueue, ATokenAndItsLogprobComeTogether) {
  constexpr int32_t kTokens = 200'000;
  NewsQueue queue({});
  std::thread writer([&queue] {
    const auto now = std::chrono::steady_clock::now();
    for (int32_t i = 0; i < kTokens; ++i) {
      queue.add_token({.id = i}, {.chosen = {.id = i, .logprob = -1.0}}, now);
    }
  });
  News news;
  int32_t n_read = 0;
  int32_t n_apart = 0;
  while (n_read < kTokens) {
    if (!queue.take(news)) continue;
    if (news.logprobs.size() != news.tokens.size()) ++n_apart;
    for (size_t i = 0; i < news.tokens.size(); ++i, ++n_read) {
      if (news.tokens[i].id != n_read) ADD_FAILURE() << news.tokens[i].id << " is not " << n_read;
      if (i < news.logprobs.size() && news.logprobs[i].chosen.id != n_read) ++n_apart;
    }
  }
  writer.join();
  EXPECT_EQ(n_apart, 0);
}

}  // namespace
}  // namespace forge::engine
