// Trusts: the specification's limits, stated in gguf_writer.h; the reader is tested on its own.
#include "forge/formats/gguf_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "forge/base/mapped_file.h"
#include "forge/formats/byte_cursor.h"
#include "forge/formats/gguf.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

class GgufWriterTest : public ::testing::Test {
 protected:
  // The error of writing "m.gguf", which must leave no file behind.
  std::string refusal(const GgufWriter& writer, uint32_t version = 3) {
    const Status status = writer.write(path_, version);
    EXPECT_TRUE(std::filesystem::is_empty(dir_.path()));
    return status.ok() ? "no error" : status.error().message.substr(path_.size());
  }

  TemporaryFolder dir_;
  std::string path_ = dir_.path("m.gguf");
  float number_ = 1;
  TensorView one_{DType::kF32, {1}, reinterpret_cast<const std::byte*>(&number_)};
};

TEST_F(GgufWriterTest, RefusesWhatNoReaderTakes) {
  EXPECT_EQ(refusal(GgufWriter().put_bool("k", true).put_bool("k", true)),
            ": key \"k\": added twice, expected once");
  GgufWriter twice;
  twice.add_tensor("w", one_);
  twice.add_tensor("w", one_);
  EXPECT_EQ(refusal(twice), ": tensor \"w\": added twice, expected once");
  EXPECT_EQ(refusal(GgufWriter(), 1), ": GGUF version 1, expected 2 or 3");
  EXPECT_EQ(refusal(GgufWriter().put_bool("\xFF", true)),
            ": key \"\uFFFD\": 1 bytes, expected at most 65535 of valid UTF-8");
  EXPECT_EQ(refusal(GgufWriter().put_uint32("general.alignment", 24)),
            ": key \"general.alignment\": expected a uint32 that is a power of two");
  EXPECT_EQ(refusal(GgufWriter().put_string("general.alignment", "32")),
            ": key \"general.alignment\": expected a uint32 that is a power of two");
  GgufWriter empty;
  empty.add_tensor("w", {DType::kF32, {0, 4}, one_.data});
  EXPECT_EQ(refusal(empty), ": tensor \"w\": shape [0, 4], expected data of at least one element");
}

TEST_F(GgufWriterTest, GivesTheBytesBeforeTheData) {
  // The file is these bytes, then each tensor's, padded; the head needs no data.
  GgufWriter with_data;
  GgufWriter without;
  for (GgufWriter* writer : {&with_data, &without}) {
    writer->put_string("general.name", "odd length!");
    const bool has_data = writer == &with_data;
    writer->add_tensor("a", {DType::kF32, {1}, has_data ? one_.data : nullptr});
    writer->add_tensor("b", {DType::kF32, {1}, has_data ? one_.data : nullptr});
  }
  ASSERT_TRUE(with_data.write(path_).ok());
  const auto head = without.head("m.gguf");
  ASSERT_TRUE(head.ok()) << head.error().message;
  const auto file = read_file(path_, 1 << 20);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(head->size() % 32, 0u);
  EXPECT_EQ(file->size(), head->size() + 2 * 32);
  EXPECT_EQ(
      file->compare(0, head->size(), reinterpret_cast<const char*>(head->data()), head->size()), 0);
  std::filesystem::remove(path_);
  EXPECT_EQ(refusal(without), ": tensor \"a\": no data");
}

TEST_F(GgufWriterTest, HonoursTheAlignment) {
  GgufWriter writer;
  writer.put_uint32("general.alignment", 256);
  writer.add_tensor("a", one_);
  writer.add_tensor("b", one_);
  ASSERT_TRUE(writer.write(path_).ok());
  const auto gguf = GgufFile::open(path_);
  ASSERT_TRUE(gguf.ok()) << gguf.error().message;
  const auto& tensors = gguf->tensors().tensors();
  EXPECT_EQ(tensors[1].view.data - tensors[0].view.data, 256);
  EXPECT_EQ(std::filesystem::file_size(path_) % 256, 0u);
}

TEST_F(GgufWriterTest, AMissingDirectoryIsNamed) {
  const std::string path = dir_.path("no/m.gguf");
  EXPECT_EQ(GgufWriter().write(path).error().message,
            path + ": cannot write: No such file or directory");
}

TEST_F(GgufWriterTest, AFailedRenameIsAnErrorAndLeavesNoTemporaryFile) {
  std::filesystem::create_directory(path_);  // no file can take a directory's place
  const Status status = GgufWriter().put_bool("k", true).write(path_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, path_ + ": cannot write 64 bytes: Is a directory");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 1);
}

TEST_F(GgufWriterTest, AFullDiskIsAnErrorAndTheOldFileStays) {
  write_text(path_, "old");
  const std::vector<std::byte> big(1 << 20);
  GgufWriter writer;
  writer.add_tensor("w", {DType::kF32, {1 << 18}, big.data()});
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const struct rlimit small { 4096, before.rlim_max };
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);  // the file may not grow past 4 KiB
  const Status status = writer.write(path_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("File too large"), std::string::npos);
  EXPECT_EQ(text_of(read_bytes(path_)), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), 1);
}

}  // namespace
}  // namespace forge::formats
