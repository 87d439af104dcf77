// Trusts the C library's ordinary file functions, which write and read the same files.
#include "forge/base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "tests/temporary_folder.h"

namespace forge {
namespace {

class MappedFileTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) const {
    return folder_.write(name, content);
  }

  TemporaryFolder folder_;
};

std::string text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST_F(MappedFileTest, WholeContent) {
  // Sizes about the page: the last byte is there and nothing more.
  for (const size_t size : {1u, 2u, 4095u, 4096u, 4097u, 100000u}) {
    std::string content(size, '\0');
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 + i / 256);
    const std::string path = write("file", content);
    auto file = MappedFile::open(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    EXPECT_EQ(text_of(*file), content);
    EXPECT_EQ(file->path(), path);
  }
}

TEST_F(MappedFileTest, EmptyFile) {
  auto file = MappedFile::open(write("empty", ""));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, ErrorsNameThePath) {
  const std::string missing = folder_.path("missing");
  EXPECT_EQ(MappedFile::open(missing).error().message, missing + ": No such file or directory");
  EXPECT_EQ(MappedFile::open(folder_.path()).error().message,
            folder_.path() + ": not a regular file");
  EXPECT_FALSE(MappedFile::open("").ok());
  const std::string not_a_folder = write("file", "x") + "/inside";
  EXPECT_EQ(MappedFile::open(not_a_folder).error().message, not_a_folder + ": Not a directory");
}

// Opening a pipe for reading waits for a writer, who may never come.
TEST_F(MappedFileTest, PipeIsRefusedAtOnce) {
  const std::string path = folder_.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(MappedFile::open(path).error().message, path + ": not a regular file");
}

TEST_F(MappedFileTest, MovesKeepTheBytesInPlace) {
  auto opened = MappedFile::open(write("a", "hello"));
  ASSERT_TRUE(opened.ok());
  const std::byte* address = opened->bytes().data();
  MappedFile moved = std::move(*opened);
  EXPECT_EQ(moved.bytes().data(), address);
  EXPECT_TRUE(opened->bytes().empty());

  auto other = MappedFile::open(write("b", "other"));
  ASSERT_TRUE(other.ok());
  *other = std::move(moved);
  EXPECT_EQ(text_of(*other), "hello");
  // The mapping outlives the name.
  std::filesystem::remove(folder_.path("a"));
  EXPECT_EQ(text_of(*other), "hello");
}

TEST_F(MappedFileTest, ReadFileHasALimit) {
  const std::string path = write("ten", "0123456789");
  EXPECT_EQ(read_file(path, 10).value(), "0123456789");
  EXPECT_EQ(read_file(path, 9).error().message, path + ": 10 bytes, at most 9 expected");
  EXPECT_FALSE(read_file(path + "x", 10).ok());
  EXPECT_EQ(read_file(write("empty", ""), 0).value(), "");
}

}  // namespace
}  // namespace forge
