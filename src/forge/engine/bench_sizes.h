// What the tests of a benchmark need: the sizes of their steps, sequences and cache.
#pragma once

#include <cstdint>

#include "forge/engine/bench.h"

namespace forge::engine {

inline constexpr int32_t kFirstPromptTokens = 16;  // of the time-to-first-token test

struct BenchSizes {
  int32_t largest_batch = 1;     // sequences that decode together
  int64_t longest_sequence = 0;  // tokens at the end of the longest test
  int32_t step_tokens = 0;       // of a prompt, at once: as many as the engine takes by default
  int32_t blocks_of_one = 0;     // of the cache, for a sequence of the decode tests
  int32_t n_blocks = 0;          // of the cache
};
[[nodiscard]] BenchSizes bench_sizes(const BenchOptions& options);

}  // namespace forge::engine
