// Trusts: the Hub's rules for names (huggingface_hub's validate_repo_id), and what people paste.
#include "forge/hub/model_name.h"

#include <gtest/gtest.h>

namespace forge::hub {
namespace {

std::string parsed(std::string_view text) {
  const auto name = parse_model_name(text);
  return name.ok() ? name->repo + "|" + name->quant + "|" + name->revision : "refused";
}

TEST(ModelName, AsPeopleWriteIt) {
  EXPECT_EQ(parsed("org/model"), "org/model||main");
  EXPECT_EQ(parsed("Qwen/Qwen2.5-0.5B_x:Q4_K_M"), "Qwen/Qwen2.5-0.5B_x|Q4_K_M|main");
  EXPECT_EQ(parsed("org/model@v1.0"), "org/model||v1.0");
  EXPECT_EQ(parsed("org/model:q8_0@refs/pr/1"), "org/model|q8_0|refs/pr/1");
  EXPECT_EQ(parsed("hf.co/org/model:Q8_0"), "org/model|Q8_0|main");
  EXPECT_EQ(parsed("https://huggingface.co/org/model"), "org/model||main");
  EXPECT_EQ(parsed("https://huggingface.co/org/model/?x=1#y"), "org/model||main");
  EXPECT_EQ(parsed("https://huggingface.co/org/model/tree/dev/2"), "org/model||dev/2");
  EXPECT_EQ(parse_model_name("hf.co/org/model:Q8_0@v1")->text(), "org/model:Q8_0@v1");
  EXPECT_EQ(parse_model_name("org/model@main")->text(), "org/model");
}

TEST(ModelName, WhatCouldLeadSomewhereElseIsRefused) {
  for (const char* text : {"",
                           "model",
                           "/model",
                           "org/",
                           "org//model",
                           "../model",
                           "org/..",
                           "org/a..b",
                           "a/b/c",
                           "org/.model",
                           "org/model.",
                           "-org/model",
                           "org/mo--del",
                           "org/mo del",
                           "org/mod\nel",
                           "org/model:",
                           "org/model:a/b",
                           "org/model@",
                           "org/model@../x",
                           "org/model@/x",
                           "org/model@x/",
                           "org/model@a//b",
                           "org/model@.git",
                           "org/model@a/.b",
                           "org/model@a b",
                           "https://example.com/org/model",
                           "org/mod\\el",
                           "org/m\xc3\xb6"}) {
    EXPECT_EQ(parsed(text), "refused") << text;
  }
  EXPECT_EQ(parsed("org/" + std::string(97, 'a')), "refused");
  EXPECT_EQ(parsed("org/" + std::string(96, 'a')), "org/" + std::string(96, 'a') + "||main");
}

TEST(ModelName, PathsAreNoNames) {
  for (const char* text : {"org/model", "org/model:Q8_0", "org/model@a/b", "hf.co/org/model",
                           "https://huggingface.co/org/model"}) {
    EXPECT_TRUE(looks_like_model_name(text)) << text;
  }
  for (const char* text : {"./org/model", "/org/model", "../model", "~/model", "folder/", "a/b/c",
                           "model", "bundled", "folder/model.gguf", "x/model.safetensors", ""}) {
    EXPECT_FALSE(looks_like_model_name(text)) << text;
  }
}

TEST(ModelName, Commits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789abcdef0123456789abcdef0123456"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
}

}  // namespace
}  // namespace forge::hub
