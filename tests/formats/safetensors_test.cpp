// Trusts: headers written by hand after the format's README, and round trips.
#include "forge/formats/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "forge/formats/safetensors_writer.h"
#include "tests/formats/file_bytes.h"
#include "tests/formats/safetensors_bytes.h"
#include "tests/formats/sample_files.h"
#include "tests/temporary_folder.h"

namespace forge::formats {
namespace {

std::string error_of(std::span<const std::byte> file) {
  ExactCopy copy(file);
  const auto result = parse_safetensors(copy.bytes(), "m.safetensors");
  return result.ok() ? "no error" : result.error().message;
}

// The error of a file with this header and n bytes of data, without the file's name.
std::string error_of(std::string_view header, size_t n) {
  const std::string message = error_of(safetensors_bytes(header, n));
  const std::string start = "m.safetensors: ";
  return message.starts_with(start) ? message.substr(start.size()) : message;
}

// The same for a tensor "w" described by these members.
std::string tensor_error(const std::string& members, size_t n) {
  return error_of("{\"w\":{" + members + "}}", n);
}

TEST(Safetensors, ReadsAFileLaidOutByHand) {
  const auto file = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,2],"data_offsets":[12,20]},)"
      R"("a":{"shape":[3],"data_offsets":[0,12],"dtype":"F32"}}   )",
      20);
  ExactCopy copy(file);
  const auto set = parse_safetensors(copy.bytes(), "m.safetensors");
  ASSERT_TRUE(set.ok()) << set.error().message;
  ASSERT_EQ(set->tensors().size(), 2u);
  const NamedTensor& a = set->tensors()[0];
  const NamedTensor& b = set->tensors()[1];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.view.shape, (Shape{3}));
  EXPECT_EQ(a.view.dtype, DType::kF32);
  EXPECT_EQ(std::to_integer<int>(a.view.data[0]), 0);
  EXPECT_EQ(b.view.shape, (Shape{2, 2}));
  EXPECT_EQ(b.view.dtype, DType::kBF16);
  EXPECT_EQ(std::to_integer<int>(b.view.data[0]), 12);
  EXPECT_EQ(set->find("b"), &b);
  EXPECT_EQ(set->find("c"), nullptr);
}

TEST(Safetensors, SurvivesARoundTrip) {
  const TemporaryFolder dir;
  const std::string path = dir.path("s.safetensors");
  ASSERT_TRUE(write_sample_safetensors(path).ok());
  const auto set = open_safetensors(path);
  ASSERT_TRUE(set.ok()) << set.error().message;
  const SampleTensors sample = sample_safetensors();
  ASSERT_EQ(set->tensors().size(), sample.tensors().size());
  for (size_t i = 0; i < sample.tensors().size(); ++i) {
    const NamedTensor& expected = sample.tensors()[i];
    const NamedTensor& found = set->tensors()[i];
    EXPECT_EQ(found.name, expected.name);
    EXPECT_EQ(found.file, path);
    EXPECT_EQ(found.view.dtype, expected.view.dtype);
    EXPECT_EQ(found.view.shape, expected.view.shape);
    EXPECT_EQ(0, std::memcmp(found.view.data, expected.view.data,
                             static_cast<size_t>(expected.view.bytes())));
  }
}

TEST(Safetensors, EmptyTensorsAndFilesWithoutTensorsAreValid) {
  EXPECT_EQ(error_of("{}", 0), "no error");
  EXPECT_EQ(error_of(R"({"a":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                     R"("b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                     4),
            "no error");
}

TEST(Safetensors, RefusesBadHeaders) {
  EXPECT_EQ(error_of(std::vector<std::byte>(7)),
            "m.safetensors: header length: 7 bytes in the file, expected 8 or more");
  EXPECT_EQ(error_of("", 0), "header: found \"\" at byte 8, expected \"{\"");
  EXPECT_EQ(error_of(" {}", 0), "header: found \" \" at byte 8, expected \"{\"");
  EXPECT_EQ(error_of("[]", 0), "header: found \"[\" at byte 8, expected \"{\"");
  EXPECT_TRUE(error_of("{\"a\":}", 0).starts_with("header: line 1, column 6: not valid JSON"));
  EXPECT_TRUE(error_of("{\"a\xFF\":1}", 0).starts_with("header: line 1, column"));
  EXPECT_TRUE(error_of("{}x", 0).starts_with("header: line 1, column 3: not valid JSON"));
  EXPECT_EQ(error_of("{\"a\":[]}", 0), "tensor \"a\": found [], expected an object");
  EXPECT_EQ(error_of("{\"__metadata__\":7}", 0), "__metadata__: found 7, expected an object");
  EXPECT_EQ(error_of("{\"__metadata__\":{\"n\":7}}", 0),
            "__metadata__: \"n\" is 7, expected a string");
  EXPECT_EQ(error_of("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
            "__metadata__: found twice, expected once");
}

TEST(Safetensors, RefusesAHeaderAbove100Megabytes) {
  std::vector<std::byte> file = safetensors_bytes("{}", 0);
  store_le(file.data(), uint64_t{100'000'001});
  file.resize(8 + 100'000'001, std::byte{' '});
  EXPECT_EQ(parse_safetensors(file, "m").error().message,
            "m: header length: found 100000001, expected at most 100000000 (byte 0)");
}

TEST(Safetensors, RefusesBadEntries) {
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  ASSERT_EQ(tensor_error(good, 8), "no error");
  const auto error = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return tensor_error(
        "\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets, 8);
  };
  EXPECT_EQ(error("\"I64\"", "[1]", "[0,8]"),
            "tensor \"w\": dtype: found \"I64\", expected F32, F16 or BF16");
  EXPECT_EQ(
      error("\"f32\"", "[2]", "[0,8]"),
      "tensor \"w\": dtype: found \"f32\" (unknown to safetensors), expected F32, F16 or BF16");
  EXPECT_EQ(error("7", "[2]", "[0,8]"), "tensor \"w\": dtype: found 7, expected a string");
  EXPECT_EQ(error("\"F32\"", "2", "[0,8]"), "tensor \"w\": shape: found 2, expected an array");
  EXPECT_EQ(error("\"F32\"", "[1,1,1,1,2]", "[0,8]"),
            "tensor \"w\": shape: 5 dimensions, expected at most 4");
  for (const char* shape : {"[-2]", "[\"2\"]", "[1.5]", "[18446744073709551615]", "[null]"}) {
    EXPECT_EQ(error("\"F32\"", shape, "[0,8]"),
              std::string("tensor \"w\": shape: found ") + shape + ", expected whole numbers");
  }
  EXPECT_EQ(error("\"F32\"", "[4294967296,4294967296]", "[0,8]"),
            "tensor \"w\": shape: found [4294967296, 4294967296], expected fewer than 2^63 "
            "elements");
  EXPECT_EQ(error("\"F32\"", "[4611686018427387904]", "[0,8]"),
            "tensor \"w\": data_offsets: found 8 bytes, expected fewer than 2^63 for shape "
            "[4611686018427387904] of F32");
  EXPECT_EQ(error("\"F32\"", "[3]", "[0,8]"),
            "tensor \"w\": data_offsets: found 8 bytes, expected 12 for shape [3] of F32");
  for (const char* offsets : {"[0]", "[0,4,8]", "[8,0]", "[-8,0]", "[0,\"8\"]", "{}", "7"}) {
    EXPECT_EQ(error("\"F32\"", "[2]", offsets), std::string("tensor \"w\": data_offsets: found ") +
                                                    offsets +
                                                    ", expected [begin, end] with begin <= end");
  }
  EXPECT_EQ(error("\"F32\"", "[2]", "[1,9]"),
            "tensor \"w\": data_offsets: found [1,9], expected an end within the 8 bytes of data");
}

TEST(Safetensors, RefusesMissingRepeatedAndUnknownMembers) {
  EXPECT_EQ(tensor_error(R"("dtype":"F32","shape":[2])", 8),
            "tensor \"w\": no data_offsets, expected one");
  EXPECT_EQ(tensor_error(R"("dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8])", 8),
            "tensor \"w\": 4 members, expected each of dtype, shape and data_offsets once");
  EXPECT_EQ(tensor_error(R"("scale":2,"dtype":"F32","shape":[2],"data_offsets":[0,8])", 8),
            "tensor \"w\": member \"scale\", expected dtype, shape and data_offsets only");
  EXPECT_EQ(error_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                     R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                     8),
            "tensor \"w\": found twice, expected once");
}

TEST(Safetensors, RefusesGapsOverlapsAndExtraBytes) {
  const auto two = [](const std::string& a, const std::string& b, size_t n) {
    return error_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + a +
                        R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)" + b + "}}",
                    n);
  };
  EXPECT_EQ(two("[0,8]", "[8,16]", 16), "no error");
  EXPECT_EQ(two("[8,16]", "[0,8]", 16), "no error");
  EXPECT_EQ(two("[0,8]", "[4,12]", 12),
            "tensor \"b\": data_offsets: begin 4, expected 8: overlaps the tensor before it");
  EXPECT_EQ(two("[0,8]", "[0,8]", 8),
            "tensor \"b\": data_offsets: begin 0, expected 8: overlaps the tensor before it");
  EXPECT_EQ(
      two("[0,8]", "[12,20]", 20),
      "tensor \"b\": data_offsets: begin 12, expected 8: bytes that no tensor owns lie before "
      "it");
  EXPECT_EQ(two("[4,12]", "[12,20]", 20),
            "tensor \"a\": data_offsets: begin 4, expected 0: bytes that no tensor owns lie before "
            "it");
  EXPECT_EQ(two("[0,8]", "[8,16]", 17),
            "tensors end at byte 16 of the data, expected its end at 17");
}

TEST(Safetensors, TheWriterRefusesWhatTheFormatCannotHold) {
  const TemporaryFolder dir;
  const std::string path = dir.path("w.safetensors");
  const auto refusal = [&](const SampleTensors& sample) {
    const Status status = write_safetensors(path, sample.tensors());
    EXPECT_FALSE(std::filesystem::exists(path));
    return status.ok() ? "no error" : status.error().message.substr(path.size());
  };
  SampleTensors quantised;
  quantised.add("q", DType::kQ8_0, {32});
  EXPECT_EQ(refusal(quantised), ": tensor \"q\": type Q8_0, expected F32, F16 or BF16");
  SampleTensors twice;
  twice.add("w", DType::kF32, {1});
  twice.add("w", DType::kF32, {1});
  EXPECT_EQ(refusal(twice), ": tensor \"w\": added twice, expected once");
  SampleTensors reserved;
  reserved.add("__metadata__", DType::kF32, {1});
  EXPECT_EQ(refusal(reserved), ": tensor \"__metadata__\": expected another name, in valid UTF-8");
}

}  // namespace
}  // namespace forge::formats
