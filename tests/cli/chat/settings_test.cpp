// Trusts: the names and ranges of docs/chat.md and sampling.h.
#include "forge/cli/chat/settings.h"

#include <gtest/gtest.h>

namespace forge::cli::chat {
namespace {

std::string set(Settings& settings, std::string_view name, std::string_view value) {
  const Status status = set_setting(settings, name, value, {});
  return status.ok() ? setting_text(settings, name) : "error: " + status.error().message;
}

TEST(Settings, EachTakesWhatItShows) {
  Settings settings;
  for (const std::string& name : setting_names()) {
    const std::string text = setting_text(settings, name);
    EXPECT_EQ(set(settings, name, text), text) << name;
    EXPECT_FALSE(setting_help(name).empty());
  }
}

TEST(Settings, ValuesReachTheSampling) {
  Settings settings;
  EXPECT_EQ(set(settings, "temperature", "0.25"), "0.25");
  EXPECT_EQ(set(settings, "top_k", "40"), "40");
  EXPECT_EQ(set(settings, "repetition_penalty", "1.1"), "1.1");
  EXPECT_EQ(set(settings, "max_tokens", "12"), "12");
  EXPECT_EQ(set(settings, "seed", "18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(settings.sampling.temperature, 0.25);
  EXPECT_EQ(settings.sampling.top_k, 40);
  EXPECT_EQ(settings.sampling.repetition_penalty, 1.1);
  EXPECT_EQ(settings.max_tokens, 12);
  EXPECT_EQ(settings.seed, 18446744073709551615u);
  EXPECT_EQ(set(settings, "logit_bias", "42=-1.5  7=100"), "42=-1.5 7=100");
  ASSERT_EQ(settings.sampling.logit_bias.size(), 2u);
  EXPECT_EQ(settings.sampling.logit_bias[0].id, 42);
  EXPECT_EQ(settings.sampling.logit_bias[0].bias, -1.5f);
  EXPECT_EQ(set(settings, "wrap", "off"), "off");
  EXPECT_FALSE(settings.wrap);
  EXPECT_EQ(set(settings, "seed", "random"), "random");
  EXPECT_FALSE(settings.seed.has_value());
}

TEST(Settings, StopsAreWordsOrQuoted) {
  Settings settings;
  EXPECT_EQ(set(settings, "stop", "END \"two words\" \"\\n\""), "\"END\" \"two words\" \"\\n\"");
  EXPECT_EQ(settings.stop, (std::vector<std::string>{"END", "two words", "\n"}));
  EXPECT_NE(set(settings, "stop", "\"open").find("not closed"), std::string::npos);
  EXPECT_EQ(settings.stop.size(), 3u);
  EXPECT_EQ(set(settings, "stop", "off"), "off");
}

TEST(Settings, WhatIsWrongChangesNothing) {
  Settings settings;
  EXPECT_EQ(set(settings, "temperature", "warm"), "error: temperature warm: expected a number");
  EXPECT_NE(set(settings, "temperature", "-1").find("error: "), std::string::npos);
  EXPECT_NE(set(settings, "top_p", "1.5").find("error: "), std::string::npos);
  EXPECT_NE(set(settings, "top_k", "1.5").find("error: "), std::string::npos);
  EXPECT_NE(set(settings, "max_tokens", "0").find("error: "), std::string::npos);
  EXPECT_NE(set(settings, "think", "maybe").find("expected one of auto, on, off"),
            std::string::npos);
  EXPECT_EQ(settings.sampling.temperature, 0.8);
  EXPECT_EQ(settings.sampling.top_p, 1.0);
}

TEST(Settings, DefaultPutsBack) {
  Settings settings;
  Settings defaults;
  defaults.sampling.temperature = 0.3;
  defaults.stop = {"x"};
  EXPECT_TRUE(set_setting(settings, "temperature", "default", defaults).ok());
  EXPECT_TRUE(set_setting(settings, "stop", "default", defaults).ok());
  EXPECT_EQ(settings.sampling.temperature, 0.3);
  EXPECT_EQ(settings.stop, defaults.stop);
}

TEST(Settings, NamesAreFound) {
  EXPECT_EQ(*find_setting("top-p"), "top_p");
  EXPECT_EQ(*find_setting("repeat_penalty"), "repetition_penalty");
  EXPECT_EQ(find_setting("temprature").error().message,
            "no setting temprature: did you mean temperature?");
  EXPECT_NE(find_setting("xyz").error().message.find("expected one of temperature, "),
            std::string::npos);
}

}  // namespace
}  // namespace forge::cli::chat
