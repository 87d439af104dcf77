#include "forge/engine/bench_sizes.h"

#include <algorithm>
#include <utility>

#include "forge/cache/kv_blocks.h"
#include "forge/engine/engine_sizes.h"

namespace forge::engine {
namespace {

constexpr int32_t kMaxBatch = 1024;
constexpr int64_t kMaxTokens = int64_t{1} << 30;

}  // namespace

BenchSizes bench_sizes(const BenchOptions& options) {
  BenchSizes sizes;
  if (options.n_gen > 0) sizes.largest_batch = *std::ranges::max_element(options.batches);
  sizes.longest_sequence = std::max<int64_t>(
      kFirstPromptTokens, int64_t{options.depth} + std::max(options.n_prompt, options.n_gen));
  sizes.step_tokens = default_step_tokens(options.backend);
  sizes.blocks_of_one = cache::KvBlocks::blocks_for(int64_t{options.depth} + options.n_gen);
  sizes.n_blocks = std::max(cache::KvBlocks::blocks_for(sizes.longest_sequence),
                            sizes.largest_batch * sizes.blocks_of_one);
  return sizes;
}

Status check_bench(const BenchOptions& options, const models::ModelSpec& spec) {
  const std::pair<const char*, int64_t> counts[] = {
      {"--prompt", options.n_prompt}, {"--gen", options.n_gen}, {"--depth", options.depth}};
  for (const auto& [flag, count] : counts) {
    if (count < 0) return make_error("{} {}: expected 0 or more", flag, count);
  }
  if (options.n_repeats < 1) {
    return make_error("--repeat {}: expected 1 or more", options.n_repeats);
  }
  if (options.n_prompt == 0 && options.n_gen == 0) {
    return Error{"--prompt 0 and --gen 0: nothing to measure"};
  }
  if (options.batches.empty()) return Error{"--batch: expected at least one number"};
  for (const int32_t batch : options.batches) {
    if (batch >= 1 && batch <= kMaxBatch) continue;
    return make_error("--batch {}: expected 1 to {}", batch, kMaxBatch);
  }
  for (const auto& [flag, count] : {counts[0], counts[1]}) {
    const int64_t n_tokens = int64_t{options.depth} + count;
    if (count == 0 || n_tokens <= spec.context_len) continue;
    return make_error("--depth {} {} {}: {} tokens, the model's context is {}", options.depth, flag,
                      count, n_tokens, spec.context_len);
  }
  const BenchSizes sizes = bench_sizes(options);
  const int64_t n_tokens = sizes.largest_batch * sizes.longest_sequence;
  if (n_tokens > kMaxTokens) {
    return make_error("--batch {} --depth {}: {} tokens in the cache, at most {}",
                      sizes.largest_batch, options.depth, n_tokens, kMaxTokens);
  }
  return {};
}

models::DecoderOptions bench_decoder_options(const BenchOptions& options) {
  const BenchSizes sizes = bench_sizes(options);
  models::DecoderOptions decoder;
  decoder.n_threads = options.n_threads;
  decoder.n_cache_blocks = sizes.n_blocks;
  const int32_t longest_prompt = std::max({kFirstPromptTokens, options.n_prompt, options.depth});
  decoder.max_batch_tokens =
      std::max(sizes.largest_batch, std::min(sizes.step_tokens, longest_prompt));
  decoder.max_logit_rows = sizes.largest_batch;
  decoder.measures_stages = options.wants_stages;
  decoder.backend = options.backend;
  return decoder;
}

}  // namespace forge::engine
