// Trusts: nothing but "no crash" (run it under ASan and UBSan): damaged models load or are refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>

#include "forge/base/mapped_file.h"
#include "forge/models/architecture.h"
#include "tests/models/config_text.h"
#include "tests/models/gguf_from_hf.h"
#include "tests/models/golden.h"
#include "tests/temporary_folder.h"

namespace forge::models {
namespace {

constexpr int kRounds = 600;  // seconds under ASan

// What the decoder relies on without looking again.
void expect_consistent(const ModelSpec& spec) {
  EXPECT_TRUE(check_spec(spec).ok());
  EXPECT_EQ(spec.sliding_window.size(), static_cast<size_t>(spec.n_layers));
  EXPECT_EQ(spec.rope.inv_freq.size(), static_cast<size_t>(spec.rope.rotary_dim / 2));
}

class HostileGguf : public testing::TestWithParam<std::string> {};

TEST_P(HostileGguf, flipped_bytes_of_the_header) {
  const TemporaryFolder folder;
  write_gguf_from_hf(golden_path(GetParam()), folder.path("m.gguf"), {.matrices = DType::kQ8_0});
  const auto file = read_file(folder.path("m.gguf"), 1 << 22);
  ASSERT_TRUE(file.ok()) << file.error().message;
  // Metadata and tensor table: the tensors' data cannot hurt, whatever its bytes.
  const size_t header = std::min<size_t>(file->size(), 4096);
  std::mt19937 random(7);
  int n_refused = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string damaged = *file;
    for (int i = 0; i <= round % 3; ++i) {
      damaged[random() % header] = static_cast<char>(random() % 256);
    }
    const auto bytes = std::as_bytes(std::span(damaged.data(), damaged.size()));
    const auto model = load_gguf_model(bytes, "damaged");
    if (model.ok()) {
      expect_consistent((*model)->spec);
    } else {
      ++n_refused;
      EXPECT_NE(model.error().message, "");
      EXPECT_EQ(model.error().message.find('\n'), std::string::npos);
    }
  }
  EXPECT_GT(n_refused, kRounds / 2);
}

INSTANTIATE_TEST_SUITE_P(All, HostileGguf, testing::Values("llama_rope3", "qwen3", "phi3_longrope"),
                         [](const auto& test) { return test.param; });

TEST(HostileConfig, flipped_and_cut_json) {
  for (const std::string& variant : golden_variants()) {
    const auto text = read_file(golden_path(variant) + "/config.json", 1 << 20);
    ASSERT_TRUE(text.ok()) << text.error().message;
    for (size_t length = 0; length + 2 < text->size(); ++length) {
      EXPECT_FALSE(read_config(text->substr(0, length)).ok()) << length;
    }
    std::mt19937 random(11);
    for (int round = 0; round < kRounds; ++round) {
      std::string damaged = *text;
      // Digits and signs, so that most results still parse and the reader gets to see odd numbers.
      constexpr std::string_view kBytes = "0123456789-.e\"[]{},:ntf";
      damaged[random() % damaged.size()] = kBytes[random() % kBytes.size()];
      const auto spec = read_config(damaged);
      if (spec.ok()) expect_consistent(*spec);
    }
  }
}

}  // namespace
}  // namespace forge::models
