// Trusts: transformers' rope functions in f32, through tests/models/goldens/rope_cases.json.
#include "forge/models/rope_scaling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "forge/base/json.h"
#include "forge/models/model_config.h"
#include "tests/models/golden.h"

namespace forge::models {
namespace {

// PyTorch's vectorised power and the C library's differ by one unit in the last place at most, and
// a ramp of two rounded products adds one more.
constexpr float kUlps = 2.0f;

void expect_close(const std::vector<float>& found, const json::Value& expected,
                  const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto value = static_cast<float>(expected.at(i).as_double().value());
    const float ulp = std::nextafter(value, INFINITY) - value;
    EXPECT_LE(std::abs(found[i] - value), kUlps * ulp) << what << " " << i << ": " << found[i];
  }
}

TEST(RopeScaling, frequencies_match_transformers) {
  const auto document = json::Document::load(golden_path("rope_cases.json"));
  ASSERT_TRUE(document.ok()) << document.error().message;
  ASSERT_EQ(document->root().size(), 12u);
  for (size_t i = 0; i < document->root().size(); ++i) {
    const json::Value c = document->root().at(i);
    const std::string name(c.find("name").as_string().value());
    const auto spec = read_hf_spec(c.find("config"), name, {});
    ASSERT_TRUE(spec.ok()) << spec.error().message;
    expect_close(spec->rope.inv_freq, c.find("inv_freq"), name);
    const auto scale = static_cast<float>(c.find("attention_scale").as_double().value());
    EXPECT_EQ(spec->rope.attention_scale, scale) << name;
    const json::Value long_inv_freq = c.find("long_inv_freq");
    EXPECT_EQ(spec->rope.long_inv_freq.empty(), long_inv_freq.is_missing()) << name;
    if (!long_inv_freq.is_missing()) {
      expect_close(spec->rope.long_inv_freq, long_inv_freq, name + " long");
    }
  }
}

TEST(RopeScaling, divisors_divide) {
  const auto plain = make_rope({.rotary_dim = 8});
  const auto divided = make_rope(
      {.scaling = RopeScaling::kDivisors, .rotary_dim = 8, .divisors = {1.0f, 2.0f, 4.0f, 8.0f}});
  ASSERT_TRUE(plain.ok() && divided.ok());
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(divided->inv_freq[i], plain->inv_freq[i] / static_cast<float>(1 << i));
  }
}

struct BadRope {
  const char* name;
  RopeConfig config;
  const char* message;
};

class RopeRefusal : public testing::TestWithParam<BadRope> {};

TEST_P(RopeRefusal, names_what_is_wrong) {
  const auto rope = make_rope(GetParam().config);
  ASSERT_FALSE(rope.ok());
  EXPECT_EQ(rope.error().message, GetParam().message);
}

RopeConfig llama3(double low, double high) {
  return {.scaling = RopeScaling::kLlama3,
          .rotary_dim = 8,
          .context_len = 100,
          .original_context = 10,
          .factor = 2.0,
          .low_freq_factor = low,
          .high_freq_factor = high};
}

INSTANTIATE_TEST_SUITE_P(
    All, RopeRefusal,
    testing::Values(
        BadRope{"odd", {.rotary_dim = 7}, "rotary dimensions: 7, expected an even number above 0"},
        BadRope{"zero_dimensions",
                {.rotary_dim = 0},
                "rotary dimensions: 0, expected an even number above 0"},
        BadRope{
            "theta", {.theta = -1.0, .rotary_dim = 8}, "rope theta: -1, expected a number above 1"},
        BadRope{"theta_nan",
                {.theta = NAN, .rotary_dim = 8},
                "rope theta: nan, expected a number above 1"},
        BadRope{"no_factor",
                {.scaling = RopeScaling::kLinear, .rotary_dim = 8},
                "rope scaling factor: required and missing"},
        BadRope{"factor_tiny",
                {.scaling = RopeScaling::kLinear, .rotary_dim = 8, .factor = 1e-300},
                "rope frequency 0 is inf (theta 10000, linear scaling by 1e-300), expected a "
                "finite number"},
        BadRope{"factor_zero",
                {.scaling = RopeScaling::kLinear, .rotary_dim = 8, .factor = 0.0},
                "rope scaling factor: 0, expected a number above 0"},
        BadRope{"original_context",
                {.scaling = RopeScaling::kYarn, .rotary_dim = 8, .factor = 2.0},
                "rope scaling: original context 0 of 0, expected at least 2"},
        BadRope{
            "llama3_band", llama3(4.0, 4.0),
            "llama3 rope scaling: low_freq_factor 4, high_freq_factor 4: expected 0 < low < high"},
        BadRope{"divisor_count",
                {.scaling = RopeScaling::kDivisors, .rotary_dim = 8, .divisors = {1.0f}},
                "rope frequency divisors: 1 values, expected 4 (half of 8 rotary dimensions)"},
        BadRope{"divisor_zero",
                {.scaling = RopeScaling::kDivisors, .rotary_dim = 4, .divisors = {1.0f, 0.0f}},
                "rope frequency divisors: value 1 is 0, expected a number above 0"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace forge::models
