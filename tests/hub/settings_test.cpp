// Trusts: huggingface_hub's documentation of its environment variables.
#include "forge/hub/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/temporary_folder.h"

namespace forge::hub {
namespace {

/// An environment of the test's own; what was there comes back at the end.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    for (const char* name : kNames) {
      const char* value = std::getenv(name);
      before_.push_back(value == nullptr ? std::optional<std::string>() : value);
      ::unsetenv(name);
    }
    ::setenv("HOME", home_.path().c_str(), 1);
  }
  ~SettingsTest() override {
    for (size_t i = 0; i < before_.size(); ++i) {
      ::unsetenv(kNames[i]);
      if (before_[i]) ::setenv(kNames[i], before_[i]->c_str(), 1);
    }
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  static Settings read() {
    const auto settings = settings_from_environment();
    EXPECT_TRUE(settings.ok()) << settings.error().message;
    return settings.ok() ? *settings : Settings();
  }

  static constexpr const char* kNames[] = {"HOME",
                                           "HF_HOME",
                                           "XDG_CACHE_HOME",
                                           "HF_HUB_CACHE",
                                           "HUGGINGFACE_HUB_CACHE",
                                           "HF_TOKEN",
                                           "HUGGING_FACE_HUB_TOKEN",
                                           "HF_TOKEN_PATH",
                                           "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                           "HF_ENDPOINT",
                                           "HF_HUB_OFFLINE",
                                           "TRANSFORMERS_OFFLINE",
                                           "CURL_CA_BUNDLE",
                                           "SSL_CERT_FILE",
                                           "REQUESTS_CA_BUNDLE",
                                           "HF_HUB_DOWNLOAD_TIMEOUT",
                                           "HF_HUB_ETAG_TIMEOUT"};
  TemporaryFolder home_;
  std::vector<std::optional<std::string>> before_;
};

TEST_F(SettingsTest, TheCacheIsWhereHuggingFaceHubHasIt) {
  EXPECT_EQ(read().cache_folder, home_.path(".cache/huggingface/hub"));
  set("XDG_CACHE_HOME", "/x");
  EXPECT_EQ(read().cache_folder, "/x/huggingface/hub");
  set("HF_HOME", "~/hf");
  EXPECT_EQ(read().cache_folder, home_.path("hf/hub"));
  set("HF_HUB_CACHE", "/models/");
  EXPECT_EQ(read().cache_folder, "/models");
}

TEST_F(SettingsTest, TheTokenIsTheVariableElseTheFile) {
  EXPECT_EQ(read().token, "");
  home_.write(".cache/huggingface/token", "hf_file\n");
  EXPECT_EQ(read().token, "hf_file");
  EXPECT_EQ(read().token_origin, home_.path(".cache/huggingface/token"));
  set("HF_TOKEN_PATH", home_.write("other", "hf_other"));
  EXPECT_EQ(read().token, "hf_other");
  set("HF_TOKEN", " hf_variable ");
  EXPECT_EQ(read().token, "hf_variable");
  EXPECT_EQ(read().token_origin, "HF_TOKEN");
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_EQ(read().token, "");
}

TEST_F(SettingsTest, ATokenCannotSmuggleAHeader) {
  set("HF_TOKEN", "hf_a\r\nHost: evil");
  const auto settings = settings_from_environment();
  ASSERT_FALSE(settings.ok());
  EXPECT_NE(settings.error().message.find("HF_TOKEN: not a token"), std::string::npos);
  EXPECT_EQ(settings.error().message.find("evil"), std::string::npos);
}

TEST_F(SettingsTest, EndpointOfflineAuthoritiesAndTimeouts) {
  EXPECT_EQ(read().endpoint, "https://huggingface.co");
  EXPECT_FALSE(read().is_offline);
  set("HF_ENDPOINT", "https://mirror.example/");
  set("HF_HUB_OFFLINE", "yes");
  set("REQUESTS_CA_BUNDLE", "/r");
  set("HF_HUB_DOWNLOAD_TIMEOUT", "3");
  EXPECT_EQ(read().endpoint, "https://mirror.example");
  EXPECT_TRUE(read().is_offline);
  EXPECT_EQ(read().ca_file, "/r");
  EXPECT_EQ(read().stall_timeout, std::chrono::seconds(3));
  set("CURL_CA_BUNDLE", "/c");
  EXPECT_EQ(read().ca_file, "/c");
  set("SSL_CERT_FILE", "/s");
  EXPECT_EQ(read().ca_file, "/s");
  set("HF_HUB_DOWNLOAD_TIMEOUT", "soon");
  EXPECT_FALSE(settings_from_environment().ok());
  set("HF_HUB_DOWNLOAD_TIMEOUT", "3");
  set("HF_ENDPOINT", "mirror.example");
  EXPECT_FALSE(settings_from_environment().ok());
}

}  // namespace
}  // namespace forge::hub
