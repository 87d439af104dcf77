// Reference: short encodings of the same text, and a time that a quadratic algorithm cannot keep.
#include <gtest/gtest.h>

#include <ctime>
#include <thread>

#include "forge/text/tokenizer.h"
#include "tests/test_data.h"
#include "tests/text/unpack.h"

namespace forge::text {
namespace {

using Ids = std::vector<int32_t>;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Ten megabytes take under a second at any speed worth having; quadratic work would take hours. The
// bound leaves room for sanitizers.
constexpr double kMostSeconds = 60;

std::string repeat(std::string_view text, size_t size) {
  std::string out;
  while (out.size() < size) out += text;
  return out;
}

class LongText : public ::testing::TestWithParam<const char*> {};

TEST_P(LongText, IsNotQuadratic) {
  FORGE_REQUIRE_DATA(source, GetParam());
  const TemporaryFolder folder;
  const bool is_json = source.find("tokenizer.json") != std::string::npos;
  take(folder, source, is_json ? "tokenizer.json" : "tokenizer.model");
  const auto tokenizer = Tokenizer::load_folder(folder.path());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  for (const char* unit : {"a", " ", "ab", "\u4e00", "\n", "1", "\U0001F600", "abcdefghij"}) {
    const std::string text = repeat(unit, 2'000'000);
    const double start = cpu_seconds();
    const Ids ids = tokenizer->encode(text, {.add_special = false});
    EXPECT_LT(cpu_seconds() - start, kMostSeconds) << unit;
    EXPECT_EQ(tokenizer->decode(ids), text) << unit;
  }
  const std::string word = repeat("xyzzy", 10'000'000);
  const double start = cpu_seconds();
  EXPECT_GT(tokenizer->encode(word).size(), 1000u);
  EXPECT_LT(cpu_seconds() - start, kMostSeconds);
}

INSTANTIATE_TEST_SUITE_P(All, LongText,
                         ::testing::Values("tokenizers/smollm/tokenizer.json",
                                           "tokenizers/llama-2/tokenizer.model"));

// One tokenizer, several threads: each gets what a single thread gets (run under TSan).
TEST(Threads, ShareOneTokenizer) {
  FORGE_REQUIRE_DATA(source, "tokenizers/smollm/tokenizer.json");
  const TemporaryFolder folder;
  take(folder, source, "tokenizer.json");
  const auto tokenizer = Tokenizer::load_folder(folder.path());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const std::string text = repeat("Once upon a time there were 3 caf\u00e9s.\n", 20'000);
  const Ids expected = tokenizer->encode(text);
  std::vector<std::thread> threads;
  std::vector<int> is_equal(4, 0);
  for (size_t i = 0; i < is_equal.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        is_equal[i] += tokenizer->encode(text) == expected && tokenizer->decode(expected) == text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(is_equal, std::vector<int>(4, 5));
}

}  // namespace
}  // namespace forge::text
