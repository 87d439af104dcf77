// Reference: sums done by hand; the kernel's own view of pages for what is resident.
#include "forge/engine/memory_plan.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "forge/engine/single_sequence.h"
#include "tests/engine/bundled.h"

namespace forge::engine {
namespace {

MemoryPlan plan_of(int64_t weights, int64_t kv_per_token, int32_t kv_tokens, int64_t workspace) {
  MemoryPlan plan;
  plan.weight_bytes = plan.resident_weight_bytes = weights;
  plan.kv_bytes_per_token = kv_per_token;
  plan.kv_tokens = kv_tokens;
  plan.kv_bytes = kv_per_token * kv_tokens;
  plan.workspace_bytes = workspace;
  plan.process_bytes = 5000;
  return plan;
}

TEST(MemoryPlan, FitsUpToTheLastByte) {
  const MemoryPlan plan = plan_of(1000, 10, 160, 400);
  EXPECT_EQ(plan.total_bytes(), 1000 + 1600 + 400 + 5000);
  EXPECT_TRUE(check_fits(plan, {3000, "the machine"}).ok());
  EXPECT_FALSE(check_fits(plan, {2999, "the machine"}).ok());
}

TEST(MemoryPlan, ARefusalHasTheNumbersAndWhatWouldFit) {
  const MemoryPlan plan = plan_of(100 << 20, 1 << 20, 1024, 28 << 20);
  const Status less_context = check_fits(plan, {328 << 20, "the control group /box"});
  ASSERT_FALSE(less_context.ok());
  // 200 MiB are left for the cache; 196 of them count; 192 tokens are whole blocks.
  EXPECT_EQ(
      less_context.error().message,
      "not enough memory: weights 100 MiB + KV cache 1.00 GiB (1024 tokens) + workspace 28.0 MiB "
      "= 1.12 GiB, the control group /box has 328 MiB left: --ctx 192 fits");
  // A cache for several sequences may shrink to one context before the context must.
  const Status less_cache = check_fits(plan, {328 << 20, "the machine"}, 128);
  EXPECT_TRUE(less_cache.error().message.ends_with("left: --kv-cache-tokens 192 fits"));
  const Status neither = check_fits(plan, {328 << 20, "the machine"}, 256);
  EXPECT_TRUE(neither.error().message.ends_with("left: --ctx 192 fits"));
  const Status no_context = check_fits(plan, {120 << 20, "the machine"});
  ASSERT_FALSE(no_context.ok());
  EXPECT_NE(no_context.error().message.find("a smaller or more quantised model would"),
            std::string::npos);
}

TEST(MemoryPlan, AnUntiedEmbeddingCountsByTheRowsThatTokensTouch) {
  LoadedModel loaded = load_bundled();
  models::DecoderOptions options = single_sequence_options(4, 1, LogitRows::kLast);
  options.backend.arithmetic = models::Arithmetic::kReference;
  const MemoryPlan tied = plan_memory(*loaded.model, options);
  EXPECT_EQ(tied.resident_weight_bytes, tied.weight_bytes);
  // A head of its own in place of the shared matrix: 16 tokens (one block) touch 64 KiB each at
  // most.
  const int64_t embedding_bytes = loaded.model->weights.token_embedding.bytes();
  const std::vector<std::byte> head(static_cast<size_t>(embedding_bytes));
  loaded.model->weights.output.data = head.data();
  const MemoryPlan untied = plan_memory(*loaded.model, options);
  EXPECT_EQ(untied.resident_weight_bytes,
            untied.weight_bytes - embedding_bytes + std::min<int64_t>(embedding_bytes, 16 * 65536));
}

TEST(ProcessMemory, CountsThePagesOfARangeThatWereTouched) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t n_pages = 64;
  void* memory =
      mmap(nullptr, n_pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  // Huge pages would touch more than was asked for.
  madvise(memory, n_pages * page, MADV_NOHUGEPAGE);
  auto* bytes = static_cast<std::byte*>(memory);
  EXPECT_EQ(resident_bytes({bytes, n_pages * page}), 0);
  for (size_t i = 0; i < 10; ++i) bytes[i * page] = std::byte{1};
  EXPECT_EQ(resident_bytes({bytes, n_pages * page}), static_cast<int64_t>(10 * page));
  munmap(memory, n_pages * page);
  EXPECT_GT(resident_bytes(), int64_t{1} << 20);
  EXPECT_GE(peak_resident_bytes() + (int64_t{256} << 10), resident_bytes());
}

TEST(ProcessMemory, TheMachineHasSomeLeft) {
  const auto available = available_memory();
  ASSERT_TRUE(available);
  EXPECT_GT(available->bytes, int64_t{16} << 20);
  EXPECT_FALSE(available->limit.empty());
}

}  // namespace
}  // namespace forge::engine
