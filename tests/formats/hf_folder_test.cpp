// Trusts: folders laid out by hand.
#include "forge/formats/hf_folder.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "tests/formats/file_bytes.h"
#include "tests/temporary_folder.h"
#include "tests/test_data.h"

namespace forge::formats {
namespace {

std::string error_of(const std::string& path) {
  const auto folder = open_hf_folder(path);
  return folder.ok() ? "no error" : folder.error().message;
}

TEST(HfFolder, ReadsWhatIsThere) {
  const TemporaryFolder dir;
  write_text(dir.path("config.json"), R"({"model_type":"llama"})");
  write_text(dir.path("tokenizer_config.json"), R"({"add_bos_token":true})");
  const auto folder = open_hf_folder(dir.path());
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->path, dir.path());
  EXPECT_EQ(folder->config.root().find("model_type").as_string(), "llama");
  ASSERT_TRUE(folder->tokenizer_config.has_value());
  EXPECT_EQ(folder->tokenizer_config->root().find("add_bos_token").as_bool(), true);
  EXPECT_FALSE(folder->generation_config.has_value());
  EXPECT_FALSE(folder->special_tokens_map.has_value());
}

TEST(HfFolder, SaysWhatIsWrong) {
  const TemporaryFolder dir;
  EXPECT_EQ(error_of(dir.path("no")), (dir.path("no")) + ": no such folder");
  write_text(dir.path("file"), "x");
  EXPECT_EQ(error_of(dir.path("file")), (dir.path("file")) + ": a file, expected a folder");
  EXPECT_EQ(error_of(dir.path()),
            dir.path() + ": no config.json in it, expected a Hugging Face model folder");
  write_text(dir.path("config.json"), "[1]");
  EXPECT_EQ(error_of(dir.path()), (dir.path("config.json")) +
                                      ": found a JSON value that is no object, expected an object");
  write_text(dir.path("config.json"), "{}");
  EXPECT_EQ(error_of(dir.path()), "no error");
}

TEST(HfFolder, ABrokenOptionalFileIsAnError) {
  for (const char* file :
       {"generation_config.json", "tokenizer_config.json", "special_tokens_map.json"}) {
    const TemporaryFolder dir;
    write_text(dir.path("config.json"), "{}");
    write_text(dir.path(file), "{\"a\":");
    EXPECT_TRUE(
        error_of(dir.path()).starts_with((dir.path(file)) + ": line 1, column 6: not valid JSON"))
        << error_of(dir.path());
    write_text(dir.path(file), "7");
    EXPECT_EQ(error_of(dir.path()),
              (dir.path(file)) + ": found a JSON value that is no object, expected an object");
  }
}

TEST(HfFolder, EveryTruncationOfTheConfigIsRefusedAndNamesIt) {
  const TemporaryFolder dir;
  const std::string config = R"({"model_type":"llama","rope_theta":1e4,"a":[true,null,"\u00e9"]})";
  for (size_t size = 0; size < config.size(); ++size) {
    write_text(dir.path("config.json"), std::string_view(config).substr(0, size));
    EXPECT_TRUE(error_of(dir.path()).starts_with(dir.path("config.json"))) << size;
  }
  std::printf("config.json: %zu truncations refused\n", config.size());
}

TEST(HfFolder, ReadsARealFolder) {
  FORGE_REQUIRE_DATA(path, "models/stories260K/hf");
  const auto folder = open_hf_folder(path);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->config.root().find("hidden_size").as_int(), 64);
  EXPECT_TRUE(folder->tokenizer_config.has_value());
}

}  // namespace
}  // namespace forge::formats
