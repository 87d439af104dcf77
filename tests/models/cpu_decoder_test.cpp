// The fast decoder where the goldens do not reach: contexts of several spans, quantised weights.
// Trusts: the reference decoder, which decoder_golden_test.cpp compares with transformers.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/models/backends.h"
#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

std::vector<int32_t> random_ids(int32_t n, int32_t vocab_size) {
  std::mt19937 random(5);
  std::vector<int32_t> ids(static_cast<size_t>(n));
  for (int32_t& id : ids) {
    id = static_cast<int32_t>(random() % static_cast<uint32_t>(vocab_size));
  }
  return ids;
}

/// Logits of the last n_tail tokens, which come one by one after the rest in chunks.
std::vector<float> tail_logits(const Model& model, std::span<const int32_t> ids, int32_t n_tail,
                               int32_t tail_chunk, int32_t n_threads,
                               const BackendOptions& backend) {
  const auto length = static_cast<int32_t>(ids.size());
  SequenceRunner runner(model, length, n_threads, 1, backend);
  TestSequence sequence = runner.start(ids.first(static_cast<size_t>(length - n_tail)));
  (void)runner.run(sequence, 512);
  sequence.tokens.assign(ids.begin(), ids.end());
  return runner.run(sequence, tail_chunk).values;
}

TEST(CpuDecoder, spans_and_their_merging_do_not_change_bits) {
  // 1,100 positions are three spans; steps of up to four rows are cut by spans, larger ones are
  // not.
  for (const char* variant : {"llama_mqa", "qwen2_windows"}) {
    const auto model = load_or_die(golden_path(variant));
    const std::vector<int32_t> ids = random_ids(1100, model->spec.vocab_size);
    for (const BackendCase& backend : fast_backends()) {
      if (backend.name == "scalar") continue;  // some seconds, and the same code
      const std::vector<float> expected = tail_logits(*model, ids, 12, 12, 1, backend.options);
      for (const int32_t chunk : {1, 3, 4, 5}) {
        for (const int32_t n_threads : {1, 3}) {
          const std::vector<float> found =
              tail_logits(*model, ids, 12, chunk, n_threads, backend.options);
          ASSERT_EQ(found.size(), expected.size());
          EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0)
              << variant << ", " << backend.name << ", chunks of " << chunk << ", " << n_threads
              << " threads";
        }
      }
    }
  }
}

TEST(CpuDecoder, long_contexts_agree_with_the_reference) {
  for (const char* variant : {"llama_mqa", "qwen2_windows"}) {
    const auto model = load_or_die(golden_path(variant));
    const std::vector<int32_t> ids = random_ids(1100, model->spec.vocab_size);
    const std::vector<float> reference =
        tail_logits(*model, ids, 4, 1, 2, {.arithmetic = Arithmetic::kReference});
    const std::vector<float> fast = tail_logits(
        *model, ids, 4, 1, 2, {.kv_type = kernels::cpu::KvType::kF32, .quantize = DType::kF32});
    EXPECT_LE(max_relative_error(fast.data(), reference.data(), static_cast<int64_t>(fast.size())),
              1e-4)
        << variant;
  }
}

TEST(CpuDecoder, quantising_at_load_equals_a_quantised_file) {
  const auto model = load_or_die(golden_path("smollm2"));
  const std::vector<int32_t> ids = random_ids(40, model->spec.vocab_size);
  for (const DType type : {DType::kQ8_0, DType::kQ4_0, DType::kF16, DType::kBF16}) {
    const TemporaryFolder folder;
    write_gguf_from_hf(golden_path("smollm2"), folder.path("model.gguf"), {.matrices = type});
    const auto gguf = load_or_die(folder.path("model.gguf"));
    const std::vector<float> a = tail_logits(*model, ids, 8, 8, 2, {.quantize = type});
    const std::vector<float> b = tail_logits(*gguf, ids, 8, 8, 2, {});
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)), 0) << name(type);
  }
}

}  // namespace
}  // namespace forge::models
