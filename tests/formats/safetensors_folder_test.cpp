// Trusts: folders laid out by hand as transformers' save_pretrained writes them.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "forge/formats/safetensors.h"
#include "forge/formats/safetensors_writer.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

constexpr const char* kShard1 = "model-00001-of-00002.safetensors";
constexpr const char* kShard2 = "model-00002-of-00002.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

// A folder of two shards: a and b in the first, c in the second.
class SafetensorsFolder : public ::testing::Test {
 protected:
  SafetensorsFolder() {
    write_shard(kShard1, {"a", "b"});
    write_shard(kShard2, {"c"});
    write_index({{"a", kShard1}, {"b", kShard1}, {"c", kShard2}});
  }
  void write_shard(const std::string& file, const std::vector<std::string>& names) {
    SampleTensors sample;
    for (const auto& name : names) sample.add(name, DType::kF32, {2});
    ASSERT_TRUE(write_safetensors(dir_.path(file), sample.tensors()).ok());
  }
  void write_index(const std::vector<std::pair<std::string, std::string>>& weight_map) {
    std::string text = R"({"metadata":{"total_size":24},"weight_map":{)";
    for (size_t i = 0; i < weight_map.size(); ++i) {
      text += (i > 0 ? ",\"" : "\"") + weight_map[i].first + "\":\"" + weight_map[i].second + "\"";
    }
    write_text(dir_.path(kIndex), text + "}}");
  }
  std::string error() {
    const auto result = open_safetensors_folder(dir_.path());
    return result.ok() ? "no error" : result.error().message;
  }

  TemporaryFolder dir_;
};

TEST_F(SafetensorsFolder, OpensEveryShardOfTheIndex) {
  const auto set = open_safetensors_folder(dir_.path());
  ASSERT_TRUE(set.ok()) << set.error().message;
  ASSERT_EQ(set->tensors().size(), 3u);
  EXPECT_EQ(set->find("b")->file, dir_.path(kShard1));
  EXPECT_EQ(set->find("c")->file, dir_.path(kShard2));
  EXPECT_EQ(load_le<float>(set->find("c")->view.data), -3.0f);
}

TEST_F(SafetensorsFolder, PrefersTheSingleFile) {
  write_shard("model.safetensors", {"only"});
  const auto set = open_safetensors_folder(dir_.path());
  ASSERT_TRUE(set.ok()) << set.error().message;
  EXPECT_EQ(set->tensors().size(), 1u);
}

TEST_F(SafetensorsFolder, RefusesFoldersWithoutWeights) {
  const TemporaryFolder empty;
  EXPECT_EQ(
      open_safetensors_folder(empty.path()).error().message,
      empty.path() + ": no weights: expected model.safetensors or model.safetensors.index.json");
  EXPECT_EQ(open_safetensors_folder(empty.path("no")).error().message,
            (empty.path("no")) + ": no such folder");
}

TEST_F(SafetensorsFolder, NamesTheMissingShard) {
  std::filesystem::remove(dir_.path(kShard2));
  EXPECT_EQ(error(), (dir_.path(kIndex)) + ": shard \"" + kShard2 + "\": " + (dir_.path(kShard2)) +
                         ": No such file or directory");
}

TEST_F(SafetensorsFolder, RefusesATensorInTheWrongShard) {
  write_index({{"a", kShard1}, {"b", kShard2}, {"c", kShard2}});
  EXPECT_EQ(error(), (dir_.path(kShard1)) + ": tensor \"b\": found here, expected in \"" + kShard2 +
                         "\" as " + (dir_.path(kIndex)) + " says");
}

TEST_F(SafetensorsFolder, RefusesTensorsOnOneSideOnly) {
  write_index({{"a", kShard1}, {"b", kShard1}, {"c", kShard2}, {"d", kShard2}});
  EXPECT_EQ(error(),
            (dir_.path(kIndex)) + ": tensor \"d\": not in \"" + kShard2 + "\", expected there");
  write_index({{"a", kShard1}, {"c", kShard2}});
  EXPECT_EQ(error(), (dir_.path(kShard1)) + ": tensor \"b\": not in " + (dir_.path(kIndex)) +
                         ", expected there");
}

TEST_F(SafetensorsFolder, RefusesShardNamesThatLeaveTheFolder) {
  // A valid shard outside: it must be refused for its name, not for being absent.
  const std::string outside = dir_.path() + ".safetensors";
  std::filesystem::copy(dir_.path(kShard2), outside);
  const std::string base = std::filesystem::path(outside).filename().string();
  const std::array<std::string, 7> names{"../" + base, outside,        "./" + base,         "..",
                                         "",           ".safetensors", "x\\\\y.safetensors"};
  for (const std::string& name : names) {
    write_index({{"a", kShard1}, {"b", kShard1}, {"c", name}});
    EXPECT_NE(error().find("weight_map: tensor \"c\": found"), std::string::npos)
        << name << ": " << error();
  }
  write_index({{"c", "x\\u0000.safetensors"}});
  EXPECT_NE(error().find("expected the name of a .safetensors file"), std::string::npos);
  std::filesystem::remove(outside);
}

TEST_F(SafetensorsFolder, RefusesBadIndexes) {
  const std::string index = dir_.path(kIndex);
  const auto error_of = [&](std::string_view text) {
    write_text(index, text);
    return error();
  };
  EXPECT_EQ(error_of("[]"), index + ": expected an object");
  EXPECT_EQ(error_of("{}"),
            index + ": weight_map: not there, expected an object that names tensors");
  EXPECT_EQ(error_of(R"({"weight_map":[]})"),
            index + ": weight_map: not an object, expected an object that names tensors");
  EXPECT_EQ(error_of(R"({"weight_map":{}})"),
            index + ": weight_map: empty, expected an object that names tensors");
  EXPECT_EQ(error_of(R"({"weight_map":{"a":1}})"),
            index +
                ": weight_map: tensor \"a\": found no string, expected the name of a "
                ".safetensors file in the same folder");
  const std::string shard = std::string("\"") + kShard1 + "\"";
  EXPECT_EQ(error_of("{\"weight_map\":{\"a\":" + shard + ",\"a\":" + shard + "}}"),
            index + ": weight_map: tensor \"a\": found twice, expected once");
}

TEST_F(SafetensorsFolder, EveryTruncationOfEveryFileIsRefusedAndNamesIt) {
  size_t n_tried = 0;
  for (const char* file : {kIndex, kShard1, kShard2}) {
    const auto whole = read_bytes(dir_.path(file));
    for (size_t size = 0; size < whole.size(); ++size) {
      write_bytes(dir_.path(file), std::span(whole).first(size));
      const auto result = open_safetensors_folder(dir_.path());
      ASSERT_FALSE(result.ok()) << file << ": " << size;
      EXPECT_NE(result.error().message.find(dir_.path(file)), std::string::npos);
      ++n_tried;
    }
    write_bytes(dir_.path(file), whole);
  }
  std::printf("sharded folder: %zu truncations refused\n", n_tried);
}

TEST_F(SafetensorsFolder, NoBitFlipOfTheIndexDoesHarm) {
  const auto whole = read_bytes(dir_.path(kIndex));
  size_t n_accepted = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    write_bytes(dir_.path(kIndex), flipped);
    const auto result = open_safetensors_folder(dir_.path());
    if (!result.ok()) continue;
    EXPECT_EQ(result->tensors().size(), 3u);
    ++n_accepted;
  }
  EXPECT_GT(n_accepted, 0u);  // flips inside "metadata"
  EXPECT_LT(n_accepted, 8 * whole.size());
  std::printf("sharded folder: %zu bit flips of the index, %zu still valid\n", 8 * whole.size(),
              n_accepted);
}

}  // namespace
}  // namespace forge::formats
