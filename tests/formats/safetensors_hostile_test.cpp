// Trusts: AddressSanitizer, and that no file cut short is valid.
#include <gtest/gtest.h>

#include <cstdio>

#include "forge/base/bytes.h"
#include "forge/formats/safetensors.h"
#include "tests/allocation_meter.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/safetensors_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/formats/touch.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

std::vector<std::byte> sample() {
  const TemporaryFolder dir;
  EXPECT_TRUE(write_sample_safetensors(dir.path("s.safetensors")).ok());
  return read_bytes(dir.path("s.safetensors"));
}

TEST(HostileSafetensors, EveryTruncationIsRefusedAndNamesTheFile) {
  const auto file = sample();
  ASSERT_TRUE(parse_safetensors(file, "s.safetensors").ok());
  for (size_t size = 0; size < file.size(); ++size) {
    ExactCopy copy{std::span(file).first(size)};
    const auto result = parse_safetensors(copy.bytes(), "s.safetensors");
    ASSERT_FALSE(result.ok()) << size << " of " << file.size();
    const std::string& message = result.error().message;
    EXPECT_TRUE(message.starts_with("s.safetensors: ") && message.find('\n') == message.npos)
        << message;
  }
  std::printf("safetensors: %zu truncations refused\n", file.size());
}

// Cuts that fix up the header length reach the JSON and everything behind it.
TEST(HostileSafetensors, EveryHeaderCutWithAFittingLengthIsRefused) {
  const auto file = sample();
  const auto length = load_le<uint64_t>(file.data());
  size_t end = 8 + length;
  while (file[end - 1] == std::byte{' '}) --end;  // padding may go
  for (size_t size = 0; size < end - 8; ++size) {
    const auto header = std::span(file).subspan(8, size);
    const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
    ExactCopy copy(safetensors_bytes(text, file.size() - 8 - length));
    ASSERT_FALSE(parse_safetensors(copy.bytes(), "s.safetensors").ok()) << text;
  }
  std::printf("safetensors: %zu header cuts refused\n", end - 8);
}

TEST(HostileSafetensors, NoBitFlipOfTheHeaderEscapesTheFile) {
  const auto file = sample();
  const size_t header_bytes = 8 + load_le<uint64_t>(file.data());
  size_t n_accepted = 0;
  for (size_t bit = 0; bit < 8 * header_bytes; ++bit) {
    ExactCopy copy(file);
    copy.bytes()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const auto result = parse_safetensors(copy.bytes(), "s.safetensors");
    if (result.ok()) {
      ++n_accepted;
      touch(*result, copy.bytes());
    } else {
      EXPECT_TRUE(result.error().message.starts_with("s.safetensors: "));
    }
  }
  EXPECT_GT(n_accepted, 0u);  // flips inside names
  EXPECT_LT(n_accepted, 8 * header_bytes);
  std::printf("safetensors: %zu bit flips, %zu of them still valid files\n", 8 * header_bytes,
              n_accepted);
}

TEST(HostileSafetensors, HugeLengthsAreRefusedWithoutAllocation) {
  const auto file = sample();
  for (int shift = 10; shift < 64; ++shift) {
    for (const uint64_t value :
         {uint64_t{1} << shift, (uint64_t{1} << shift) - 1, ~uint64_t{0} << shift}) {
      ExactCopy copy(file);
      store_le(copy.bytes().data(), value);
      const AllocationMeter meter;
      EXPECT_FALSE(parse_safetensors(copy.bytes(), "s.safetensors").ok()) << value;
      EXPECT_LT(meter.largest(), 4096u) << value;
    }
  }
}

// A number in each place of an entry that the file cannot have.
TEST(HostileSafetensors, HugeNumbersOfTheHeaderAreRefused) {
  size_t n_tried = 0;
  for (int shift = 3; shift < 70; ++shift) {
    const std::string number = shift < 64 ? fmt::format("{}", uint64_t{1} << shift)
                                          : fmt::format("1{}", std::string(shift - 44, '0'));
    const std::array<std::string, 4> headers{
        R"({"w":{"dtype":"F32","shape":[)" + number + R"(],"data_offsets":[0,8]}})",
        R"({"w":{"dtype":"F32","shape":[1,)" + number + R"(,)" + number +
            R"(],"data_offsets":[0,8]}})",
        R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[)" + number + R"(,8]}})",
        R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,)" + number + R"(0]}})"};
    for (const std::string& header : headers) {
      ExactCopy copy(safetensors_bytes(header, 8));
      EXPECT_FALSE(parse_safetensors(copy.bytes(), "s.safetensors").ok()) << header;
      ++n_tried;
    }
  }
  std::printf("safetensors: %zu huge numbers refused\n", n_tried);
}

TEST(HostileSafetensors, DeepNestingIsRefused) {
  const std::string deep = "{\"a\":" + std::string(1'000'000, '[');
  ExactCopy copy(safetensors_bytes(deep, 0));
  const auto result = parse_safetensors(copy.bytes(), "s.safetensors");
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find("nested deeper"), std::string::npos);
}

}  // namespace
}  // namespace forge::formats
