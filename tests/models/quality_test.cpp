// Trusts: transformers on PyTorch in f32 (golden files). Prints what every storage format costs:
// the table of docs/perf/quality.md comes from here, through tools/quality_table.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

struct Quality {
  double max_error = 0.0;  // of any logit, over the largest reference logit
  double mean_kl = 0.0;    // nats, of the reference's distribution to ours
  int agreement = 0;       // of the 32 greedy steps, given the reference's tokens before each
};

// KL divergence of softmax(q) from softmax(p), in double.
double divergence(const float* p, const float* q, int64_t n) {
  const auto log_sum = [n](const float* row) {
    const double top = *std::max_element(row, row + n);
    double sum = 0.0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(double{row[i]} - top);
    return top + std::log(sum);
  };
  const double p_sum = log_sum(p);
  const double q_sum = log_sum(q);
  double kl = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const double log_p = double{p[i]} - p_sum;
    kl += std::exp(log_p) * (log_p - (double{q[i]} - q_sum));
  }
  return kl;
}

// Runs the prompt and the reference's own continuation, and compares every position's logits.
Quality measure(const Model& model, const Golden& golden) {
  std::vector<int32_t> tokens = golden.prompt_ids;
  tokens.insert(tokens.end(), golden.greedy_ids.begin(), golden.greedy_ids.end() - 1);
  const auto length = static_cast<int32_t>(tokens.size());
  SequenceRunner runner(model, length);
  TestSequence sequence = runner.start(tokens);
  const Matrix logits = runner.run(sequence, length);
  const auto n_prompt = static_cast<int64_t>(golden.prompt_ids.size());
  Quality quality;
  double largest = 0.0;
  for (int64_t r = 0; r < logits.rows(); ++r) {
    const float* expected =
        r < n_prompt ? golden.row("logits", r) : golden.row("greedy_logits", r - n_prompt + 1);
    quality.max_error =
        std::max(quality.max_error, max_abs_error(logits.row(r), expected, logits.columns));
    for (int64_t i = 0; i < logits.columns; ++i) {
      largest = std::max(largest, std::abs(double{expected[i]}));
    }
    quality.mean_kl += divergence(expected, logits.row(r), logits.columns);
    if (r < n_prompt - 1) continue;
    const auto step = static_cast<size_t>(r - n_prompt + 1);
    quality.agreement += argmax(logits.row(r), logits.columns) == golden.greedy_ids[step];
  }
  quality.max_error /= largest;
  quality.mean_kl /= static_cast<double>(logits.rows());
  return quality;
}

void print(const std::string& variant, const char* format, const Quality& q) {
  std::printf("| %s | %s | %.1e | %d/32 | %.1e |\n", variant.c_str(), format, q.max_error,
              q.agreement, std::max(q.mean_kl, 0.0));
}

struct Format {
  const char* name;
  DType dtype;
};

// All formats of one golden folder; GGUF where the format can hold the variant.
std::vector<Quality> measure_formats(const std::string& folder, std::span<const Format> formats) {
  const std::string variant = std::filesystem::path(folder).filename().string();
  const Golden golden = load_golden_file(folder + "/golden.safetensors");
  std::vector<Quality> results{measure(*load_or_die(folder), golden)};
  print(variant, "safetensors", results[0]);
  if (variant == "qwen2_windows") return results;
  for (const Format& format : formats) {
    const TemporaryFolder temp;
    write_gguf_from_hf(folder, temp.path("m.gguf"), {.matrices = format.dtype});
    results.push_back(measure(*load_or_die(temp.path("m.gguf")), golden));
    print(variant, format.name, results.back());
  }
  return results;
}

class Quantised : public testing::TestWithParam<std::string> {};

// What a type costs depends on how sharply a random model's attention amplifies it, so the numbers
// are printed and only their order is asserted: fewer bits cost more. Exactness is the next test's
// business.
TEST_P(Quantised, fewer_bits_cost_more) {
  constexpr Format kFormats[] = {
      {"GGUF F16", DType::kF16}, {"GGUF Q8_0", DType::kQ8_0}, {"GGUF Q5_0", DType::kQ5_0}};
  const auto found = measure_formats(golden_path(GetParam()), kFormats);
  EXPECT_LE(found[0].max_error, 1e-4);
  EXPECT_EQ(found[0].agreement, 32);
  EXPECT_LE(found[0].mean_kl, 1e-9);
  if (found.size() == 1) return;
  // Half a unit in the eleventh bit of each weight, through two layers that amplify up to four
  // times.
  EXPECT_LE(found[1].max_error, 4.0 * 0x1p-11);
  EXPECT_LT(found[1].mean_kl, found[2].mean_kl);
  EXPECT_LT(found[2].mean_kl, found[3].mean_kl);
}

// A quantised file and an F32 file of the values its blocks stand for are the same model.
TEST_P(Quantised, blocks_mean_their_decoded_values) {
  if (GetParam() == "qwen2_windows") return;  // no GGUF form
  const std::string folder = golden_path(GetParam());
  const Golden golden = load_golden(GetParam());
  const auto length = static_cast<int32_t>(golden.prompt_ids.size());
  for (const DType dtype : {DType::kQ8_0, DType::kQ5_0, DType::kQ4_0, DType::kQ5_1}) {
    const TemporaryFolder temp;
    write_gguf_from_hf(folder, temp.path("q.gguf"), {.matrices = dtype});
    write_gguf_from_hf(folder, temp.path("f.gguf"), {.matrices = dtype, .store = Store::kDecoded});
    Matrix logits[2];
    for (const bool is_decoded : {false, true}) {
      const auto model = load_or_die(temp.path(is_decoded ? "f.gguf" : "q.gguf"));
      EXPECT_EQ(model->weights.layers[0].attn_output.dtype, is_decoded ? DType::kF32 : dtype);
      SequenceRunner runner(*model, length);
      TestSequence sequence = runner.start(golden.prompt_ids);
      logits[is_decoded ? 1 : 0] = runner.run(sequence, length);
    }
    // The same products, summed in whatever order a type's kernel likes.
    EXPECT_LE(max_relative_error(logits[0].values.data(), logits[1].values.data(),
                                 static_cast<int64_t>(logits[0].values.size())),
              1e-5)
        << name(dtype);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Quantised, testing::ValuesIn(golden_variants()),
                         [](const auto& test) { return test.param; });

// Rows of 256 and more, as the K-quants need them: checkpoints made by tools/quality_table.py.
TEST(QualityTable, wide_checkpoints) {
  const char* root = std::getenv("FORGE_QUALITY_DIR");
  if (root == nullptr)
    GTEST_SKIP() << "FORGE_QUALITY_DIR is not set: tools/quality_table.py sets it";
  constexpr Format kFormats[] = {{"GGUF F16", DType::kF16},   {"GGUF Q8_0", DType::kQ8_0},
                                 {"GGUF Q6_K", DType::kQ6_K}, {"GGUF Q5_K", DType::kQ5_K},
                                 {"GGUF Q5_0", DType::kQ5_0}, {"GGUF Q4_K", DType::kQ4_K}};
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.is_directory()) folders.push_back(entry.path().string());
  }
  std::sort(folders.begin(), folders.end());
  ASSERT_FALSE(folders.empty()) << root;
  for (const std::string& folder : folders) {
    EXPECT_LE(measure_formats(folder, kFormats)[0].max_error, 1e-4) << folder;
  }
}

}  // namespace
}  // namespace forge::models
