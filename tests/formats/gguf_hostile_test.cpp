// Trusts: AddressSanitizer, and that no file cut short or with an impossible length is valid.
#include <gtest/gtest.h>

#include <cstdio>

#include "forge/formats/gguf.h"
#include "tests/allocation_meter.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/formats/touch.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

std::vector<std::byte> sample(uint32_t version) {
  const TemporaryFolder dir;
  EXPECT_TRUE(write_sample_gguf(dir.path("s.gguf"), version).ok());
  return read_bytes(dir.path("s.gguf"));
}

size_t data_offset(std::span<const std::byte> file) {
  const auto gguf = GgufFile::parse(file, "s.gguf");
  return static_cast<size_t>(gguf->tensors().tensors()[0].view.data - file.data());
}

class HostileGguf : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Version, HostileGguf, ::testing::Values(2u, 3u));

TEST_P(HostileGguf, EveryTruncationIsRefusedAndNamesTheFile) {
  const auto file = sample(GetParam());
  ASSERT_TRUE(GgufFile::parse(file, "s.gguf").ok());
  for (size_t size = 0; size < file.size(); ++size) {
    ExactCopy copy{std::span(file).first(size)};
    const auto result = GgufFile::parse(copy.bytes(), "s.gguf");
    ASSERT_FALSE(result.ok()) << size << " of " << file.size();
    const std::string& message = result.error().message;
    EXPECT_TRUE(message.starts_with("s.gguf: ") && message.find("expected") != message.npos &&
                message.find("(byte ") != message.npos && message.find('\n') == message.npos)
        << message;
  }
  std::printf("GGUF v%u: %zu truncations refused\n", GetParam(), file.size());
}

TEST_P(HostileGguf, NoBitFlipOfTheHeaderEscapesTheFile) {
  const auto file = sample(GetParam());
  const size_t header_bytes = data_offset(file);
  size_t n_accepted = 0;
  for (size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    ExactCopy copy(file);
    copy.bytes()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto result = GgufFile::parse(copy.bytes(), "s.gguf");
    if (result.ok()) {
      ++n_accepted;
      touch(*result, copy.bytes());
    } else {
      EXPECT_TRUE(result.error().message.starts_with("s.gguf: ")) << result.error().message;
    }
  }
  // Flips in names and values give other valid files, flips in lengths do not: both must occur.
  EXPECT_GT(n_accepted, 0u);
  EXPECT_LT(n_accepted, 8 * header_bytes);
  std::printf("GGUF v%u: %zu bit flips, %zu of them still valid files\n", GetParam(),
              8 * header_bytes, n_accepted);
}

TEST(HostileGgufSizes, AreRefusedWithoutAllocation) {
  GgufBytes file;
  file.header(1, 4).key("s", GgufType::kString).string("text");
  file.key("i", GgufType::kArray).array(GgufType::kInt64, 2).number(int64_t{1}).number(int64_t{2});
  file.key("b", GgufType::kArray).array(GgufType::kUint8, 3).raw("abc");
  file.key("t", GgufType::kArray).array(GgufType::kString, 2).string("one").string("");
  file.tensor("w", {8, 4}, 0, 0).data(128);
  ASSERT_TRUE(GgufFile::parse(file.bytes(), "h.gguf").ok());

  size_t n_tried = 0;
  for (const GgufBytes::SizeField& field : file.size_fields()) {
    for (int shift = 16; shift < 64; ++shift) {
      for (const uint64_t value : {uint64_t{1} << shift, (uint64_t{1} << shift) - 1,
                                   (uint64_t{1} << shift) + 32, ~uint64_t{0} << shift}) {
        if (field.width == 4 && value > UINT32_MAX) continue;
        ExactCopy copy(file.bytes());
        if (field.width == 4) {
          store_le(copy.bytes().data() + field.offset, static_cast<uint32_t>(value));
        } else {
          store_le(copy.bytes().data() + field.offset, value);
        }
        const AllocationMeter meter;
        const auto result = GgufFile::parse(copy.bytes(), "h.gguf");
        EXPECT_FALSE(result.ok()) << field.what << " = " << value;
        // Messages and the few entries of a small file; 2^16 of anything would be more.
        EXPECT_LT(meter.largest(), 4096u) << field.what << " = " << value;
        ++n_tried;
      }
    }
  }
  std::printf("GGUF: %zu huge values in %zu size fields refused\n", n_tried,
              file.size_fields().size());
}

}  // namespace
}  // namespace forge::formats
