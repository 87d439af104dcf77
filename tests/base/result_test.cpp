// Trusts the contract in base/result.h.
#include "forge/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace forge {
namespace {

Result<int> parse_digit(char c) {
  if (c < '0' || c > '9') return make_error("'{}': no digit", c);
  return c - '0';
}

Result<int> sum_of(const std::string& digits) {
  int sum = 0;
  for (const char c : digits) {
    FORGE_TRY(const int digit, parse_digit(c));
    sum += digit;
  }
  return sum;
}

Status all_digits(const std::string& text) {
  FORGE_TRY_STATUS([&]() -> Status {
    FORGE_TRY([[maybe_unused]] const int sum, sum_of(text));
    return {};
  }());
  return {};
}

TEST(Result, ValueOrError) {
  auto good = sum_of("123");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 6);
  auto bad = sum_of("1x3");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "'x': no digit");
}

TEST(Result, StatusPassesErrorsOn) {
  EXPECT_TRUE(all_digits("42").ok());
  const Status status = all_digits("4.2");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "'.': no digit");
}

TEST(Result, MoveOnlyValues) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(7); };
  const auto take = [&]() -> Result<int> {
    FORGE_TRY(const std::unique_ptr<int> pointer, make());
    return *pointer;
  };
  EXPECT_EQ(take().value(), 7);
}

TEST(ResultDeathTest, WrongSide) {
  EXPECT_DEATH((void)sum_of("x").value(), "value\\(\\) of a failed Result: 'x': no digit");
  EXPECT_DEATH((void)sum_of("1").error(), "error\\(\\) of a Result that holds a value");
  EXPECT_DEATH((void)Status().error(), "error\\(\\) of a Result that succeeded");
}

TEST(CheckDeathTest, PrintsTheCondition) {
  EXPECT_DEATH(FORGE_CHECK(1 + 1 == 3, "n = {}", 5),
               "result_test.cpp:[0-9]+: check failed: 1 \\+ 1 == 3: n = 5");
}

}  // namespace
}  // namespace forge
