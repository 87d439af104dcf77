// Trusts: a float64 forward pass of the trained stories260K model (golden.json, logits_greedy.f32
// of the shared test data), made without any engine.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "forge/base/json.h"
#include "forge/base/mapped_file.h"
#include "tests/models/golden.h"
#include "tests/models/sequence_runner.h"
#include "tests/test_data.h"

namespace forge::models {
namespace {

struct Reference {
  std::vector<int32_t> ids;  // BOS and the greedy continuation
  std::vector<float> logits;
  int64_t vocab_size = 0;
};

Reference load_reference(const std::string& folder) {
  Reference reference;
  const auto golden = json::Document::load(folder + "/golden.json");
  FORGE_CHECK(golden.ok(), "{}", golden.error().message);
  const json::Value ids = golden->root().find("token_ids");
  for (size_t i = 0; i < ids.size(); ++i) {
    reference.ids.push_back(static_cast<int32_t>(ids.at(i).as_int().value()));
  }
  reference.vocab_size = golden->root().find("config").find("vocab_size").as_int().value();
  const auto file = MappedFile::open(folder + "/logits_greedy.f32");
  FORGE_CHECK(file.ok(), "{}", file.error().message);
  reference.logits.resize(file->bytes().size() / sizeof(float));
  std::memcpy(reference.logits.data(), file->bytes().data(), file->bytes().size());
  FORGE_CHECK(
      reference.logits.size() == reference.ids.size() * static_cast<size_t>(reference.vocab_size),
      "{} logits", reference.logits.size());
  return reference;
}

// Logits of every position of the reference's tokens.
Matrix all_logits(const Model& model, const Reference& reference) {
  const auto length = static_cast<int32_t>(reference.ids.size());
  SequenceRunner runner(model, length);
  TestSequence sequence = runner.start(reference.ids);
  return runner.run(sequence, 64);
}

// At how many positions the best token is the one the reference took.
int agreement(const Matrix& logits, const Reference& reference) {
  int same = 0;
  for (size_t i = 0; i + 1 < reference.ids.size(); ++i) {
    same += argmax(logits.row(static_cast<int64_t>(i)), logits.columns) == reference.ids[i + 1];
  }
  return same;
}

std::vector<int32_t> greedy_text(const Model& model, const Reference& reference) {
  const auto n = static_cast<int32_t>(reference.ids.size()) - 1;
  SequenceRunner runner(model, n + 1);
  const std::array bos{reference.ids[0]};
  return runner.greedy(bos, n);
}

class Stories260K : public testing::Test {
 protected:
  void SetUp() override {
    FORGE_REQUIRE_DATA(path, "models/stories260K");
    folder = path;
    reference = load_reference(folder);
  }
  std::string folder;
  Reference reference;
};

TEST_F(Stories260K, both_f32_formats_match_the_reference_and_each_other) {
  // Our f32 activations against a float64 pass: five layers of rounding stay far below 1e-3.
  const auto hf = load_or_die(folder + "/hf");
  const auto gguf = load_or_die(folder + "/stories260K-f32.gguf");
  const Matrix a = all_logits(*hf, reference);
  const Matrix b = all_logits(*gguf, reference);
  ASSERT_EQ(a.values.size(), reference.logits.size());
  const auto n = static_cast<int64_t>(a.values.size());
  const double error = max_abs_error(a.values.data(), reference.logits.data(), n);
  EXPECT_LE(error, 1e-3);
  EXPECT_EQ(std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)), 0);
  const std::vector<int32_t> expected(reference.ids.begin() + 1, reference.ids.end());
  EXPECT_EQ(greedy_text(*hf, reference), expected);
  EXPECT_EQ(greedy_text(*gguf, reference), expected);
  std::printf("stories260K f32: largest logit error %.2e\n", error);
}

TEST_F(Stories260K, f16_and_q8_0_stay_close) {
  struct Bound {
    const char* file;
    int at_least;  // of 256; another engine finds 256 for f16 and 252 for q8_0 (SOURCES.md)
    double error;
  };
  for (const Bound& bound :
       {Bound{"stories260K-f16.gguf", 255, 0.05}, Bound{"stories260K-q8_0.gguf", 245, 1.0}}) {
    const auto model = load_or_die(folder + "/" + bound.file);
    const Matrix logits = all_logits(*model, reference);
    const int same = agreement(logits, reference);
    const double error = max_abs_error(logits.values.data(), reference.logits.data(),
                                       static_cast<int64_t>(logits.values.size()));
    EXPECT_GE(same, bound.at_least) << bound.file;
    EXPECT_LE(error, bound.error) << bound.file;
    std::printf("%s: %d of %zu best tokens, largest logit error %.3f\n", bound.file, same,
                reference.ids.size() - 1, error);
  }
}

}  // namespace
}  // namespace forge::models
