// Trusts: bytes laid out by hand after the GGUF specification (gguf_bytes.h), and round trips.
#include "forge/formats/gguf.h"

#include <gtest/gtest.h>

#include <cstring>

#include "forge/formats/byte_cursor.h"
#include "forge/formats/gguf_writer.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/gguf_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/formats/touch.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

constexpr uint32_t kF32Id = 0;
constexpr uint32_t kQ8Id = 8;

std::string error_of(const GgufBytes& file) {
  ExactCopy copy(file.bytes());
  const auto result = GgufFile::parse(copy.bytes(), "m.gguf");
  return result.ok() ? "no error" : result.error().message;
}

GgufBytes one_key(std::string_view key, GgufType type) {
  GgufBytes file;
  file.header(0, 1).key(key, type);
  return file;
}

// One F32 tensor "w" of these dimensions at this offset with n bytes of data.
GgufBytes one_tensor(const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset, size_t n) {
  GgufBytes file;
  file.header(1, 0).tensor("w", dims, type, offset).data(n);
  return file;
}

TEST(Gguf, ReadsAFileLaidOutByHand) {
  GgufBytes file;
  file.header(2, 2).key("general.alignment", GgufType::kUint32).number(uint32_t{64});
  file.key("k", GgufType::kArray).array(GgufType::kInt16, 2).number(int16_t{-3}).number(int16_t{4});
  file.tensor("b", {32, 2}, kQ8Id, 64).tensor("a", {3, 2}, kF32Id, 0).data(64 + 68, 64);
  ExactCopy copy(file.bytes());
  const auto gguf = GgufFile::parse(copy.bytes(), "m.gguf");
  ASSERT_TRUE(gguf.ok()) << gguf.error().message;
  EXPECT_EQ(gguf->version(), 3u);
  EXPECT_EQ(gguf->find("k")->as_ints(), (std::vector<int64_t>{-3, 4}));
  EXPECT_EQ(gguf->find("missing"), nullptr);
  ASSERT_EQ(gguf->tensors().tensors().size(), 2u);
  const NamedTensor& b = gguf->tensors().tensors()[0];
  const NamedTensor& a = gguf->tensors().tensors()[1];
  EXPECT_EQ(b.name, "b");
  EXPECT_EQ(b.view.shape, (Shape{2, 32}));
  EXPECT_EQ(b.view.dtype, DType::kQ8_0);
  EXPECT_EQ(a.view.shape, (Shape{2, 3}));
  EXPECT_EQ(b.view.data - a.view.data, 64);
  EXPECT_EQ(b.view.data + b.view.bytes(), copy.bytes().data() + copy.bytes().size());
  EXPECT_EQ(a.file, "m.gguf");
}

TEST(Gguf, EveryValueTypeSurvivesARoundTrip) {
  const TemporaryFolder dir;
  for (const uint32_t version : {2u, 3u}) {
    const std::string path = dir.path("sample.gguf");
    ASSERT_TRUE(write_sample_gguf(path, version).ok());
    const auto gguf = GgufFile::open(path);
    ASSERT_TRUE(gguf.ok()) << gguf.error().message;
    EXPECT_EQ(gguf->version(), version);
    const auto at = [&](std::string_view key) { return *gguf->find(key); };
    EXPECT_EQ(at("x.uint8").as_int(), 200);
    EXPECT_EQ(at("x.int8").as_int(), -100);
    EXPECT_EQ(at("x.uint16").as_int(), 60000);
    EXPECT_EQ(at("x.int16").as_int(), -30000);
    EXPECT_EQ(at("x.uint32").as_int(), 4000000000);
    EXPECT_EQ(at("x.int32").as_int(), -2000000000);
    EXPECT_EQ(at("x.uint64").as_int(), std::nullopt);  // does not fit
    EXPECT_EQ(at("x.uint64").as_double(), 0x1p64);
    EXPECT_EQ(at("x.uint64").to_string(), "18446744073709551615");
    EXPECT_EQ(at("x.int64").as_int(), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(at("x.float32").as_double(), static_cast<double>(1e-5f));
    EXPECT_EQ(at("x.float64").as_double(), 0.1);
    EXPECT_EQ(at("x.true").as_bool(), true);
    EXPECT_EQ(at("x.false").as_bool(), false);
    EXPECT_EQ(at("x.text").as_string(), "gr\u00FC\u00DF \U0001F30D");
    EXPECT_EQ(at("x.empty").as_string(), "");
    EXPECT_EQ(at("a.uint8").as_ints(), (std::vector<int64_t>{0, 1, 255}));
    EXPECT_EQ(at("a.int8").as_ints(), (std::vector<int64_t>{-128, 127}));
    EXPECT_EQ(at("a.uint16").as_ints(), (std::vector<int64_t>{0, 65535}));
    EXPECT_EQ(at("a.int16").as_ints(), (std::vector<int64_t>{-32768, 32767}));
    EXPECT_EQ(at("a.uint32").as_ints(), (std::vector<int64_t>{0, 4294967295}));
    EXPECT_EQ(at("a.int32").as_ints(), (std::vector<int64_t>{-2147483648, 0, 2147483647}));
    EXPECT_EQ(at("a.uint64").as_ints(), std::nullopt);  // one does not fit
    EXPECT_EQ(at("a.uint64").as_doubles(), (std::vector<double>{0, 0x1p64}));
    EXPECT_EQ(at("a.int64").as_ints()->front(), std::numeric_limits<int64_t>::min());
    EXPECT_EQ(at("a.float32").as_doubles(), (std::vector<double>{1.5, -0.1f}));
    EXPECT_EQ(at("a.float64").as_doubles(), (std::vector<double>{0.1, -1e300}));
    EXPECT_EQ(at("a.bool").as_bools(), (std::vector<bool>{true, false, true}));
    EXPECT_EQ(at("a.string").as_strings(),
              (std::vector<std::string_view>{"", "\u2581the", "<0x0A>", "Stra\u00DFe"}));
    EXPECT_EQ(at("a.string").to_string(),
              "string[4] [\"\", \"\u2581the\", \"<0x0A>\", \"Stra\u00DFe\"]");
    // A value is only what its type says.
    EXPECT_EQ(at("x.true").as_int(), std::nullopt);
    EXPECT_EQ(at("x.uint8").as_bool(), std::nullopt);
    EXPECT_EQ(at("x.float32").as_int(), std::nullopt);
    EXPECT_EQ(at("x.uint8").as_string(), std::nullopt);
    EXPECT_EQ(at("x.uint8").as_ints(), std::nullopt);
    EXPECT_EQ(at("a.string").as_ints(), std::nullopt);
    EXPECT_EQ(at("a.bool").as_ints(), std::nullopt);
    EXPECT_EQ(at("a.float32").as_ints(), std::nullopt);
    EXPECT_EQ(at("a.int32").as_strings(), std::nullopt);
    EXPECT_EQ(at("a.string").as_int(), std::nullopt);

    const SampleTensors sample = sample_gguf_tensors();
    ASSERT_EQ(gguf->tensors().tensors().size(), sample.tensors().size());
    for (size_t i = 0; i < sample.tensors().size(); ++i) {
      const NamedTensor& expected = sample.tensors()[i];
      const NamedTensor& found = gguf->tensors().tensors()[i];
      EXPECT_EQ(found.name, expected.name);
      EXPECT_EQ(found.file, path);
      EXPECT_EQ(found.view.dtype, expected.view.dtype);
      EXPECT_EQ(found.view.shape, expected.view.shape);
      EXPECT_EQ(0, std::memcmp(found.view.data, expected.view.data,
                               static_cast<size_t>(expected.view.bytes())));
    }
  }
}

TEST(Gguf, CopiesEveryValueAsItIs) {
  const TemporaryFolder dir;
  ASSERT_TRUE(write_sample_gguf(dir.path("a.gguf")).ok());
  const auto first = GgufFile::open(dir.path("a.gguf"));
  ASSERT_TRUE(first.ok());
  GgufWriter writer;
  for (const auto& [key, value] : first->metadata()) writer.put_value(key, value);
  ASSERT_TRUE(writer.write(dir.path("b.gguf")).ok());
  const auto second = GgufFile::open(dir.path("b.gguf"));
  ASSERT_TRUE(second.ok()) << second.error().message;
  ASSERT_EQ(second->metadata().size(), first->metadata().size());
  for (const auto& [key, value] : first->metadata()) {
    const GgufValue& copy = *second->find(key);
    EXPECT_EQ(copy.type(), value.type()) << key;
    EXPECT_EQ(copy.element_type(), value.element_type()) << key;
    EXPECT_EQ(text_of(copy.payload()), text_of(value.payload())) << key;
  }
}

TEST(Gguf, RefusesOtherFilesByName) {
  const auto error = [](std::string_view bytes) {
    return error_of(GgufBytes().raw(bytes).raw(std::string(64, '\0')));
  };
  EXPECT_EQ(error_of(GgufBytes()), "m.gguf: magic: found \"\", expected \"GGUF\" (byte 0)");
  EXPECT_EQ(error("tjgg"),
            "m.gguf: magic: found \"tjgg\" (a GGJT file from before GGUF), expected \"GGUF\" "
            "(byte 0)");
  EXPECT_NE(error("PK\x03\x04").find("zip archive"), std::string::npos);
  EXPECT_NE(error("\x1f\x8b\x08").find("gzip"), std::string::npos);
  EXPECT_NE(error("version https://git-lfs").find("Git LFS"), std::string::npos);
  EXPECT_EQ(error_of(GgufBytes().header(0, 0, 1)),
            "m.gguf: version: found 1 (32-bit lengths), expected 2 or 3: convert the file anew "
            "(byte 4)");
  EXPECT_NE(error_of(GgufBytes().header(0, 0, 0x03000000)).find("the file is big-endian"),
            std::string::npos);
  EXPECT_EQ(error_of(GgufBytes().header(0, 0, 4)),
            "m.gguf: version: found 4, expected 2 or 3 (byte 4)");
  EXPECT_EQ(error_of(GgufBytes().header(0, 0, 0)),
            "m.gguf: version: found 0, expected 2 or 3 (byte 4)");
}

// Pads the end so that a count is not refused for the file's size before its content is looked at.
GgufBytes padded(GgufBytes file) {
  file.raw(std::string(64, '\0'));
  return file;
}

TEST(Gguf, RefusesBadMetadata) {
  EXPECT_EQ(error_of(padded(one_key("k", static_cast<GgufType>(13)))),
            "m.gguf: key \"k\": value type 13, expected 0 to 12 (byte 33)");
  EXPECT_EQ(error_of(padded(one_key("k", GgufType::kArray).number(uint32_t{77}))),
            "m.gguf: key \"k\": element type 77, expected 0 to 12 (byte 37)");
  EXPECT_EQ(error_of(padded(one_key("k", GgufType::kArray).array(GgufType::kArray, 1))),
            "m.gguf: key \"k\": found an array of arrays, expected numbers, bools or strings "
            "(byte 37)");
  EXPECT_EQ(error_of(padded(one_key("k", GgufType::kBool).number(uint8_t{2}))),
            "m.gguf: key \"k\": bool 2, expected 0 or 1 (byte 37)");
  EXPECT_EQ(error_of(padded(one_key("k", GgufType::kArray)
                                .array(GgufType::kBool, 2)
                                .number(uint8_t{1})
                                .number(uint8_t{255}))),
            "m.gguf: key \"k\": bool 255, expected 0 or 1 (byte 50)");
  EXPECT_EQ(error_of(padded(one_key("k\xFF", GgufType::kBool))),
            "m.gguf: key 1 of 1: found \"k\uFFFD\", expected valid UTF-8 (byte 33)");
  EXPECT_EQ(error_of(one_key("k", GgufType::kString).number(uint64_t{9}).raw("12345678")),
            "m.gguf: key \"k\": string of 9 bytes, expected at most the 8 left in the file "
            "(byte 37)");
  EXPECT_EQ(error_of(one_key("k", GgufType::kArray).array(GgufType::kUint32, 3).raw("12345678")),
            "m.gguf: key \"k\": 3 elements of uint32, expected at most 2 in the 8 bytes left "
            "(byte 41)");
  EXPECT_EQ(error_of(one_key("k", GgufType::kArray)
                         .array(GgufType::kString, 2)
                         .string("")
                         .number(uint64_t{1})),
            "m.gguf: key \"k\": string 2 of 2: 1 bytes, expected at most the 0 left (byte 57)");
  EXPECT_EQ(error_of(GgufBytes()
                         .header(0, 2)
                         .key("k", GgufType::kBool)
                         .number(uint8_t{1})
                         .key("k", GgufType::kBool)
                         .number(uint8_t{1})),
            "m.gguf: key \"k\": found twice, expected once (byte 38)");
}

TEST(Gguf, BoundsTheLengthOfNames) {
  GgufBytes longest = one_key(std::string(65535, 'k'), GgufType::kBool);
  EXPECT_EQ(error_of(longest.number(uint8_t{1})), "no error");
  GgufBytes longer = one_key(std::string(65536, 'k'), GgufType::kBool);
  EXPECT_EQ(error_of(longer.number(uint8_t{1})),
            "m.gguf: key 1 of 1: length 65536, expected at most 65535 (byte 24)");
}

TEST(Gguf, ControlCharactersOfNamesNeverReachAMessage) {
  const std::string error = error_of(padded(one_key("a\n\x1b[31m", static_cast<GgufType>(13))));
  EXPECT_EQ(error, "m.gguf: key \"a\\n\\u001B[31m\": value type 13, expected 0 to 12 (byte 39)");
}

TEST(Gguf, RefusesBadTensors) {
  ASSERT_EQ(error_of(one_tensor({4}, kF32Id, 0, 16)), "no error");
  ASSERT_EQ(error_of(one_tensor({}, kF32Id, 0, 4)), "no error");  // a scalar, as ggml reads it
  EXPECT_EQ(error_of(one_tensor({1, 1, 1, 1, 1}, kF32Id, 0, 16)),
            "m.gguf: tensor \"w\": 5 dimensions, expected at most 4 (byte 33)");
  EXPECT_EQ(error_of(one_tensor({4, 0}, kF32Id, 0, 16)),
            "m.gguf: tensor \"w\": dimension 1 is 0, expected 1 to 9223372036854775807 (byte 45)");
  EXPECT_EQ(error_of(one_tensor({uint64_t{1} << 63}, kF32Id, 0, 16)),
            "m.gguf: tensor \"w\": dimension 0 is 9223372036854775808, expected 1 to "
            "9223372036854775807 (byte 37)");
  EXPECT_EQ(error_of(one_tensor({uint64_t{1} << 32, uint64_t{1} << 32}, kF32Id, 0, 16)),
            "m.gguf: tensor \"w\": shape [4294967296, 4294967296], expected fewer than 2^63 "
            "elements (byte 33)");
  EXPECT_EQ(error_of(one_tensor({uint64_t{1} << 31, uint64_t{1} << 31}, kF32Id, 0, 16)),
            "m.gguf: tensor \"w\": shape [2147483648, 2147483648] of F32, expected fewer than 2^63 "
            "bytes (byte 53)");
  EXPECT_EQ(error_of(one_tensor({4}, 16, 0, 16)),
            "m.gguf: tensor \"w\": type 16 (IQ2_XXS), expected a type that Forge reads (byte 45)");
  EXPECT_EQ(error_of(one_tensor({4}, 12345, 0, 16)),
            "m.gguf: tensor \"w\": type 12345 (unknown to ggml), expected a type that Forge reads "
            "(byte 45)");
  EXPECT_EQ(error_of(one_tensor({33}, kQ8Id, 0, 64)),
            "m.gguf: tensor \"w\": rows of 33 elements, expected a multiple of 32 for Q8_0 "
            "(byte 45)");
  EXPECT_EQ(error_of(one_tensor({4}, kF32Id, 16, 64)),
            "m.gguf: tensor \"w\": offset 16, expected a multiple of 32 (byte 49)");
  EXPECT_EQ(error_of(one_tensor({9}, kF32Id, 32, 64)),
            "m.gguf: tensor \"w\": 36 bytes at offset 32 of the tensor data, expected to end "
            "within its 64 (byte 49)");
  EXPECT_EQ(error_of(one_tensor({9}, kF32Id, uint64_t{1} << 63, 64)),
            "m.gguf: tensor \"w\": 36 bytes at offset 9223372036854775808 of the tensor data, "
            "expected to end within its 64 (byte 49)");
  EXPECT_EQ(error_of(GgufBytes().header(1, 0).tensor("w", {4}, kF32Id, 0)),
            "m.gguf: tensor data: 0 bytes left, expected padding to 32 (byte 57)");
}

TEST(Gguf, RefusesTensorsThatOverlapOrRepeat) {
  const auto two = [](std::string_view a, std::string_view b, uint64_t offset) {
    return error_of(GgufBytes()
                        .header(2, 0)
                        .tensor(a, {9}, kF32Id, offset)
                        .tensor(b, {9}, kF32Id, 0)
                        .data(200));
  };
  EXPECT_EQ(two("a", "b", 64), "no error");
  EXPECT_EQ(two("a", "b", 32),
            "m.gguf: tensor \"a\": offset 32 overlaps tensor \"b\", expected 36 or more (byte 49)");
  EXPECT_EQ(two("a", "b", 0),
            "m.gguf: tensor \"b\": offset 0 overlaps tensor \"a\", expected 36 or more (byte 82)");
  EXPECT_EQ(two("a", "a", 64), "m.gguf: tensor \"a\": found twice, expected once (byte 57)");
}

TEST(Gguf, RefusesBadAlignments) {
  for (const uint32_t alignment : {0u, 3u, 48u, 0x7FFFFFFFu}) {
    GgufBytes file = one_key("general.alignment", GgufType::kUint32);
    EXPECT_EQ(error_of(file.number(alignment)),
              fmt::format("m.gguf: key \"general.alignment\": found {}, expected a power of two",
                          alignment));
  }
  EXPECT_EQ(error_of(one_key("general.alignment", GgufType::kString).string("32")),
            "m.gguf: key \"general.alignment\": found \"32\", expected a power of two");
  GgufBytes far;
  far.header(1, 1).key("general.alignment", GgufType::kUint64).number(uint64_t{1} << 62);
  far.tensor("w", {4}, kF32Id, 0).data(64);
  EXPECT_NE(error_of(far).find("expected padding to 4611686018427387904"), std::string::npos);
}

TEST(Gguf, BytesAfterTheLastTensorDoNoHarm) {
  GgufBytes file = one_tensor({4}, kF32Id, 0, 16);
  EXPECT_EQ(error_of(file.raw(std::string(100, 'x'))), "no error");
}

TEST(Gguf, AMissingFileOrAFolderIsNamed) {
  const TemporaryFolder dir;
  EXPECT_EQ(GgufFile::open(dir.path("no.gguf")).error().message,
            (dir.path("no.gguf")) + ": No such file or directory");
  EXPECT_EQ(GgufFile::open(dir.path()).error().message, dir.path() + ": not a regular file");
}

}  // namespace
}  // namespace forge::formats
