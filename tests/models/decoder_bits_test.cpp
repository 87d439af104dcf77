// Trusts: the decoder itself; rows must have the same bits however a prompt is cut, whatever else
// is in the batch, on any number of threads, and from either file format.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/models/backends.h"
#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

class DecoderBits : public testing::TestWithParam<GoldenCase> {
 protected:
  const Golden golden = load_golden(GetParam().variant, GetParam().stem);
  const std::unique_ptr<Model> model = load_or_die(golden_path(GetParam().variant));
  const int32_t length = static_cast<int32_t>(golden.prompt_ids.size());

  Matrix logits(const Model& of, int32_t chunk_len, const BackendCase& backend,
                int32_t n_threads = 1) const {
    SequenceRunner runner(of, length, n_threads, 1, backend.options);
    TestSequence sequence = runner.start(golden.prompt_ids);
    return runner.run(sequence, chunk_len);
  }
  void check_batch(const BackendCase& backend) const;
};

bool same_bits(const Matrix& a, const Matrix& b) {
  return a.columns == b.columns && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)) == 0;
}

TEST_P(DecoderBits, prefill_in_chunks_equals_prefill_at_once) {
  for (const BackendCase& backend : all_backends()) {
    const Matrix whole = logits(*model, length, backend);
    for (const int32_t chunk_len : {1, 2, 5, 7, 15, 16, 17, length - 1}) {
      EXPECT_TRUE(same_bits(logits(*model, chunk_len, backend), whole))
          << backend.name << ", chunks of " << chunk_len;
    }
  }
}

TEST_P(DecoderBits, threads_do_not_matter) {
  for (const BackendCase& backend : all_backends()) {
    const Matrix one = logits(*model, length, backend, 1);
    for (const int32_t n_threads : {2, 3, 4}) {
      EXPECT_TRUE(same_bits(logits(*model, length, backend, n_threads), one))
          << backend.name << ", " << n_threads << " threads";
    }
  }
}

void DecoderBits::check_batch(const BackendCase& backend) const {
  // Three sequences of different lengths, prefilled in unequal chunks side by side, then decoding.
  std::vector<std::vector<int32_t>> prompts(3, golden.prompt_ids);
  prompts[1].resize(static_cast<size_t>(length / 2));
  std::reverse(prompts[2].begin(), prompts[2].end());
  std::vector<Matrix> alone;
  for (const auto& prompt : prompts) {
    SequenceRunner runner(*model, length, 1, 1, backend.options);
    TestSequence sequence = runner.start(prompt);
    alone.push_back(runner.run(sequence, length));
  }
  SequenceRunner runner(*model, length, 2, 3, backend.options);
  std::vector<TestSequence> sequences;
  for (const auto& prompt : prompts) sequences.push_back(runner.start(prompt));
  std::vector<Matrix> together(3);
  for (int32_t max_rows = 5;; max_rows = max_rows == 5 ? 1 : 5) {
    std::vector<TestSequence*> active;
    std::vector<size_t> which;
    std::vector<int32_t> before;
    for (size_t i = 0; i < 3; ++i) {
      if (sequences[i].n_cached == static_cast<int32_t>(sequences[i].tokens.size())) continue;
      active.push_back(&sequences[i]);
      which.push_back(i);
      before.push_back(sequences[i].n_cached);
    }
    if (active.empty()) break;
    const Matrix rows = runner.step(active, max_rows);
    const float* next = rows.values.data();
    for (size_t a = 0; a < active.size(); ++a) {
      const int64_t n = (active[a]->n_cached - before[a]) * rows.columns;
      together[which[a]].columns = rows.columns;
      together[which[a]].values.insert(together[which[a]].values.end(), next, next + n);
      next += n;
    }
  }
  for (size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(same_bits(together[i], alone[i])) << backend.name << ", sequence " << i;
}

TEST_P(DecoderBits, batch_equals_alone) {
  for (const BackendCase& backend : all_backends()) check_batch(backend);
}

class FormatBits : public DecoderBits {};

TEST_P(FormatBits, gguf_equals_safetensors) {
  const TemporaryFolder folder;
  write_gguf_from_hf(golden_path(GetParam().variant), folder.path("model.gguf"), {});
  const auto gguf = load_or_die(folder.path("model.gguf"));
  for (const BackendCase& backend : fast_backends()) {
    if (GetParam().variant == "llama_rope3") continue;  // see below
    EXPECT_TRUE(same_bits(logits(*model, length, backend), logits(*gguf, length, backend)))
        << backend.name;
  }
  const BackendCase reference = all_backends().front();
  const Matrix a = logits(*model, length, reference);
  const Matrix b = logits(*gguf, length, reference);
  if (GetParam().variant == "llama_rope3") {
    // GGUF holds llama3's scaling as f32 divisors, rounded once more than transformers'
    // frequencies: the last bit or two of inv_freq differ, the weights do not.
    ASSERT_EQ(gguf->spec.rope.inv_freq.size(), model->spec.rope.inv_freq.size());
    for (size_t i = 0; i < gguf->spec.rope.inv_freq.size(); ++i) {
      const float f = model->spec.rope.inv_freq[i];
      EXPECT_NEAR(gguf->spec.rope.inv_freq[i], f, 3e-7f * f) << i;
    }
    EXPECT_LE(
        max_relative_error(b.values.data(), a.values.data(), static_cast<int64_t>(a.values.size())),
        1e-5);
    return;
  }
  EXPECT_TRUE(same_bits(a, b));
}

INSTANTIATE_TEST_SUITE_P(All, DecoderBits, testing::ValuesIn(golden_cases()),
                         [](const auto& test) { return case_name(test.param); });

// All but qwen2_windows: GGUF's qwen2 has no key for windows in some of the layers.
std::vector<GoldenCase> gguf_cases() {
  std::vector<GoldenCase> cases = golden_cases();
  std::erase_if(cases, [](const GoldenCase& c) { return c.variant == "qwen2_windows"; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, FormatBits, testing::ValuesIn(gguf_cases()),
                         [](const auto& test) { return case_name(test.param); });

}  // namespace
}  // namespace forge::models
