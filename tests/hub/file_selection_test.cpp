// Trusts: lists of files of published repositories, written down by hand.
#include "forge/hub/file_selection.h"

#include <gtest/gtest.h>

#include <set>

#include "forge/hub/file_name.h"
#include "forge/hub/quant_name.h"

namespace forge::hub {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;

RepoListing listing(const std::vector<std::pair<std::string, int64_t>>& files) {
  RepoListing listing;
  for (const auto& [name, size] : files) listing.files.push_back({.name = name, .n_bytes = size});
  return listing;
}

std::set<std::string> names(const Result<FileSelection>& selection) {
  std::set<std::string> names;
  EXPECT_TRUE(selection.ok()) << selection.error().message;
  if (!selection.ok()) return names;
  for (const RepoFile& file : selection->files) names.insert(file.name);
  return names;
}

ModelName named(const std::string& text) { return *parse_model_name(text); }

TEST(FileSelection, OfSafetensorsOnceAndTheTokenizer) {
  const auto single = select_files(listing({{".gitattributes", 1},
                                            {"README.md", 1},
                                            {"config.json", 1},
                                            {"generation_config.json", 1},
                                            {"merges.txt", 1},
                                            {"model.safetensors", 9},
                                            {"onnx/model.onnx", 9},
                                            {"pytorch_model.bin", 9},
                                            {"tf_model.h5", 9},
                                            {"special_tokens_map.json", 1},
                                            {"tokenizer.json", 1},
                                            {"tokenizer_config.json", 1},
                                            {"vocab.json", 1},
                                            {"chat_template.jinja", 1},
                                            {"model.gguf", 9}}),
                                   named("org/model"), std::nullopt);
  EXPECT_EQ(names(single),
            (std::set<std::string>{"config.json", "generation_config.json", "merges.txt",
                                   "model.safetensors", "special_tokens_map.json", "tokenizer.json",
                                   "tokenizer_config.json", "vocab.json", "chat_template.jinja"}));
  EXPECT_EQ(single->gguf_file, "");
  const auto sharded = select_files(listing({{"config.json", 1},
                                             {"consolidated.safetensors", 9},
                                             {"tokenizer.model", 1},
                                             {"model-00001-of-00002.safetensors", 9},
                                             {"model-00002-of-00002.safetensors", 9},
                                             {"model.safetensors.index.json", 1},
                                             {"original/model-00001-of-00002.safetensors", 9},
                                             {"pytorch_model-00001-of-00002.bin", 9}}),
                                    named("org/model"), std::nullopt);
  EXPECT_EQ(names(sharded),
            (std::set<std::string>{"config.json", "tokenizer.model", "model.safetensors.index.json",
                                   "model-00001-of-00002.safetensors",
                                   "model-00002-of-00002.safetensors"}));
}

RepoListing quants() {
  return listing({{"m-Q2_K.gguf", 3 * kGiB},
                  {"m-Q4_K_M.gguf", 5 * kGiB},
                  {"m-Q8_0.gguf", 8 * kGiB},
                  {"m-IQ2_XXS.gguf", kGiB},
                  {"m-Q3_K_M.gguf", 4 * kGiB},
                  {"mmproj-F16.gguf", 1},
                  {"m-f16-00001-of-00002.gguf", 8 * kGiB},
                  {"m-f16-00002-of-00002.gguf", 7 * kGiB},
                  {"README.md", 1}});
}

TEST(FileSelection, OfGgufTheBestThatFits) {
  const auto chosen = [&](const std::string& name, std::optional<int64_t> memory) {
    const auto selection = select_files(quants(), named(name), memory);
    return selection.ok() ? selection->gguf_file : "error: " + selection.error().message;
  };
  EXPECT_EQ(chosen("o/m", std::nullopt), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen("o/m", 7 * kGiB), "m-Q4_K_M.gguf");
  EXPECT_EQ(chosen("o/m", 6 * kGiB), "m-Q3_K_M.gguf");  // 5 is more than 80 % of 6
  const std::string none = chosen("o/m", kGiB);
  EXPECT_NE(none.find("the smallest is Q2_K with 3.00 GiB. o/m:Q2_K downloads"), none.npos) << none;
  EXPECT_EQ(chosen("o/m:q8_0", kGiB), "m-Q8_0.gguf");  // asked for by name
  EXPECT_EQ(chosen("o/m:F16", std::nullopt), "m-f16-00001-of-00002.gguf");
  EXPECT_EQ(names(select_files(quants(), named("o/m:f16"), std::nullopt)).size(), 2u);
  const std::string missing = chosen("o/m:Q5_K_M", std::nullopt);
  EXPECT_NE(
      missing.find("no GGUF file of type Q5_K_M: there are IQ2_XXS (1.00 GiB), Q2_K (3.00 GiB)"),
      missing.npos)
      << missing;
}

TEST(FileSelection, PartsMustBeThere) {
  const auto selection =
      select_files(listing({{"m-Q8_0-00001-of-00003.gguf", 1}, {"m-Q8_0-00003-of-00003.gguf", 1}}),
                   named("o/m"), std::nullopt);
  ASSERT_FALSE(selection.ok());
  EXPECT_NE(selection.error().message.find("1 of its parts"), std::string::npos);
}

TEST(FileSelection, WhatIsNoModelSaysSo) {
  const auto error = [](const RepoListing& list, const std::string& name) {
    const auto selection = select_files(list, named(name), std::nullopt);
    return selection.ok() ? "" : selection.error().message;
  };
  EXPECT_NE(error(listing({{"config.json", 1}, {"pytorch_model.bin", 1}}), "o/m")
                .find("only PyTorch's own format"),
            std::string::npos);
  EXPECT_NE(error(listing({{"README.md", 1}}), "o/m").find("neither safetensors nor GGUF"),
            std::string::npos);
  EXPECT_NE(error(listing({{"model.safetensors", 1}}), "o/m").find("no config.json"),
            std::string::npos);
  EXPECT_NE(error(listing({{"config.json", 1}, {"model.safetensors", 1}}), "o/m:Q8_0")
                .find("leave \":Q8_0\" out"),
            std::string::npos);
}

TEST(QuantName, InFileNames) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"Qwen2.5-0.5B-Instruct-Q4_K_M.gguf", "Q4_K_M"},
      {"qwen2.5-0.5b-instruct-q8_0.gguf", "Q8_0"},
      {"model.IQ3_XXS.gguf", "IQ3_XXS"},
      {"m-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"},
      {"m-f16.gguf", "F16"},
      {"m-BF16-00001-of-00002.gguf", "BF16"},
      {"Q6_K/m-Q6_K-00001-of-00002.gguf", "Q6_K"},
      {"m-fp16.gguf", "F16"},
      {"gpt-oss-20b-MXFP4.gguf", "MXFP4"},
      {"m.gguf", ""},
      {"m-Q4_0_4_8.gguf", "Q4_0_4_8"},
      {"m-Q2_K_L.gguf", "Q2_K_L"},
      {"q4bert-7b.gguf", ""},
      {"m-TQ1_0.gguf", "TQ1_0"}};
  for (const auto& [file, quant] : cases) EXPECT_EQ(quant_of_file(file), quant) << file;
  EXPECT_TRUE(same_quant("q4_k_xl", "UD-Q4_K_XL"));
  EXPECT_FALSE(same_quant("UD-Q4_K_M", "Q4_K_M"));
  EXPECT_LT(quant_rank("Q4_K_M"), quant_rank("Q8_0"));
  EXPECT_LT(quant_rank("Q8_0"), quant_rank("F16"));
  EXPECT_LT(quant_rank("IQ2_XXS"), 0);
}

TEST(FileName, WhatIsNoPlainPathIsRefused) {
  for (const std::string name : {"a", "a/b.json", "a b", "\xc3\xa4", "a..b"}) {
    EXPECT_TRUE(check_file_name(name).ok()) << name;
  }
  const std::string zero("a\0b", 3);
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("../a"), std::string("a/../b"),
        std::string("a//b"), std::string("a/"), std::string("."), std::string("a/./b"),
        std::string("a\\b"), std::string("a\nb"), std::string("\x7f"), zero, std::string("\xff"),
        std::string(256, 'a'), std::string(2000, 'a')}) {
    EXPECT_FALSE(check_file_name(name).ok()) << name;
  }
  std::string deep = "a";
  for (int i = 0; i < 20; ++i) deep += "/a";
  EXPECT_FALSE(check_file_name(deep).ok());
  EXPECT_EQ(url_encode("a b/\xc3\xa4?", Slashes::kKept), "a%20b/%C3%A4%3F");
  EXPECT_EQ(url_encode("refs/pr/1", Slashes::kEncoded), "refs%2Fpr%2F1");
}

}  // namespace
}  // namespace forge::hub
