// Trusts: the unsplit file of the same content; names and keys as llama.cpp's gguf-split writes
// them.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "forge/formats/gguf.h"
#include "forge/formats/gguf_part_name.h"
#include "forge/formats/gguf_writer.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

TEST(GgufPartName, TakesNamesApartAndPutsThemTogether) {
  const auto part = parse_gguf_part_name("dir/m-q8_0-00002-of-00013.gguf");
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->prefix, "dir/m-q8_0");
  EXPECT_EQ(part->number, 2);
  EXPECT_EQ(part->count, 13);
  EXPECT_EQ(part->to_string(), "dir/m-q8_0-00002-of-00013.gguf");
  for (const char* name :
       {"m.gguf", "-of-.gguf", "m-0001-of-00002.gguf", "m-00000-of-00002.gguf",
        "m-00003-of-00002.gguf", "m-00001-of-00002.bin", "m-0000x-of-00002.gguf",
        "m_00001-of-00002.gguf", "m-00001_of_00002.gguf", "m-00001-of-+0002.gguf", ""}) {
    EXPECT_FALSE(parse_gguf_part_name(name).has_value()) << name;
  }
}

class GgufSplit : public ::testing::Test {
 protected:
  GgufSplit() {
    put_sample_metadata(writer_);
    for (const auto& tensor : sample_.tensors()) writer_.add_tensor(tensor.name, tensor.view);
  }
  std::vector<std::string> write(const GgufSplitLimits& limits) {
    auto paths = writer_.write_split(dir_.path("m"), limits);
    EXPECT_TRUE(paths.ok()) << paths.error().message;
    return *paths;
  }
  // A part with these split keys and one tensor; a negative number leaves the key out.
  void write_part(const std::string& file, int number, int count, int n_tensors,
                  const std::string& tensor) {
    GgufWriter part;
    if (number >= 0) part.put_uint16("split.no", static_cast<uint16_t>(number));
    if (count >= 0) part.put_uint16("split.count", static_cast<uint16_t>(count));
    if (n_tensors >= 0) part.put_int32("split.tensors.count", n_tensors);
    part.put_string("general.name", file_name_);
    part.add_tensor(tensor, sample_.tensors().back().view);
    ASSERT_TRUE(part.write(dir_.path(file)).ok());
  }
  std::string error_of(const std::string& file) {
    const auto result = GgufFile::open(dir_.path(file));
    return result.ok() ? "no error" : result.error().message;
  }

  TemporaryFolder dir_;
  SampleTensors sample_ = sample_gguf_tensors();
  GgufWriter writer_;
  std::string file_name_ = "same";
};

TEST_F(GgufSplit, PartsTogetherAreTheWholeFile) {
  ASSERT_TRUE(writer_.write(dir_.path("whole.gguf")).ok());
  const auto whole = GgufFile::open(dir_.path("whole.gguf"));
  ASSERT_TRUE(whole.ok());
  for (const size_t max_tensors : {1u, 2u, 4u, 100u}) {
    const auto paths = write({.max_tensors = max_tensors});
    ASSERT_EQ(paths.size(), (6 + max_tensors - 1) / max_tensors);
    const auto split = GgufFile::open(paths[0]);
    ASSERT_TRUE(split.ok()) << split.error().message;
    EXPECT_EQ(split->metadata().size(), whole->metadata().size() + 3);
    for (const auto& [key, value] : whole->metadata()) {
      ASSERT_NE(split->find(key), nullptr) << key;
      EXPECT_EQ(split->find(key)->to_string(), value.to_string());
    }
    ASSERT_EQ(split->tensors().tensors().size(), 6u);
    for (size_t i = 0; i < 6; ++i) {
      const NamedTensor& a = whole->tensors().tensors()[i];
      const NamedTensor& b = split->tensors().tensors()[i];
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(b.file, paths[i / max_tensors]);
      EXPECT_EQ(a.view.shape, b.view.shape);
      EXPECT_EQ(0, std::memcmp(a.view.data, b.view.data, static_cast<size_t>(a.view.bytes())));
    }
  }
}

TEST_F(GgufSplit, CutsByBytesAndGivesALargeTensorItsOwnPart) {
  // 60, 14, 204, 288, 34, 128 bytes.
  const auto paths = write({.max_bytes = 200});
  ASSERT_EQ(paths.size(), 4u);
  std::vector<std::string> holders;
  const auto split = GgufFile::open(paths[0]);
  ASSERT_TRUE(split.ok()) << split.error().message;
  for (const auto& tensor : split->tensors().tensors()) holders.push_back(tensor.file);
  EXPECT_EQ(holders,
            (std::vector<std::string>{paths[0], paths[0], paths[1], paths[2], paths[3], paths[3]}));
}

TEST_F(GgufSplit, RefusesImpossibleLimitsAndForeignKeys) {
  EXPECT_FALSE(writer_.write_split(dir_.path("m"), {.max_tensors = 0}).ok());
  EXPECT_FALSE(writer_.write_split(dir_.path("m"), {.max_bytes = 0}).ok());
  writer_.put_uint16("split.no", 0);
  EXPECT_EQ(writer_.write_split(dir_.path("m"), {}).error().message,
            (dir_.path("m")) +
                ": key \"split.no\": put by the caller, expected to be left to "
                "write_split()");
  EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
}

TEST_F(GgufSplit, NamesTheMissingPart) {
  const auto paths = write({.max_tensors = 2});
  std::filesystem::remove(paths[1]);
  EXPECT_EQ(error_of("m-00001-of-00003.gguf"),
            paths[0] + ": part 2 of 3: " + paths[1] + ": No such file or directory");
}

TEST_F(GgufSplit, ALaterPartPointsToTheFirst) {
  write({.max_tensors = 2});
  EXPECT_EQ(error_of("m-00002-of-00003.gguf"),
            (dir_.path("m-00002-of-00003.gguf")) +
                ": part 2 of 3, expected the first part: " + (dir_.path("m-00001-of-00003.gguf")));
}

TEST_F(GgufSplit, APartUnderAnotherNameIsNotTakenForAModel) {
  const auto paths = write({.max_tensors = 2});
  std::filesystem::copy(paths[0], dir_.path("m.gguf"));
  EXPECT_NE(error_of("m.gguf").find("key \"split.count\": found 3, expected 1"), std::string::npos);
  const auto bytes = read_bytes(paths[0]);
  EXPECT_FALSE(GgufFile::parse(bytes, "memory").ok());
}

TEST_F(GgufSplit, KeysMustAgreeWithTheNames) {
  const std::string first = dir_.path("k-00001-of-00002.gguf");
  const std::string second = dir_.path("k-00002-of-00002.gguf");
  const auto error = [&] { return error_of("k-00001-of-00002.gguf"); };
  write_part("k-00001-of-00002.gguf", 0, 2, 2, "a");
  write_part("k-00002-of-00002.gguf", 1, 2, 2, "b");
  ASSERT_EQ(error(), "no error");
  write_part("k-00002-of-00002.gguf", 0, 2, 2, "b");
  EXPECT_EQ(error(), second + ": key \"split.no\": found 0, expected 1");
  write_part("k-00002-of-00002.gguf", 1, 3, 2, "b");
  EXPECT_EQ(error(), second + ": key \"split.count\": found 3, expected 2");
  write_part("k-00002-of-00002.gguf", -1, -1, -1, "b");
  EXPECT_EQ(error(), second + ": key \"split.no\": found no such key, expected 1");
  write_part("k-00002-of-00002.gguf", 1, 2, 2, "a");
  EXPECT_EQ(error(), second + ": tensor \"a\" is also in " + first + ", expected in one file only");
  write_part("k-00002-of-00002.gguf", 1, 2, 2, "b");
  write_part("k-00001-of-00002.gguf", 0, 2, 3, "a");
  EXPECT_EQ(error(), first + ": key \"split.tensors.count\": found 3, expected 2");
  write_part("k-00001-of-00002.gguf", -1, -1, -1, "a");
  EXPECT_EQ(error(), first + ": key \"split.no\": found no such key, expected 0");
  write_part("k-00001-of-00002.gguf", 0, 2, 2, "a");
  file_name_ = "other";
  write_part("k-00002-of-00002.gguf", 1, 2, 2, "b");
  EXPECT_EQ(error(),
            second + ": key \"general.name\": found \"other\", expected \"same\" as in " + first);
}

}  // namespace
}  // namespace forge::formats
