// Small valid files with something of everything, written by Forge's own writers. Tests, the
// comparison with the original tools and the fuzzers start from them.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "forge/base/bytes.h"
#include "forge/formats/gguf_writer.h"
#include "forge/formats/safetensors_writer.h"

namespace forge::formats {

/// Tensors with their bytes: byte i of tensor t is 37 * i + 11 + t, but F32 tensors hold i / 2 - 3.
class SampleTensors {
 public:
  void add(const std::string& name, DType dtype, const Shape& shape) {
    TensorView view{dtype, shape, nullptr};
    auto& bytes = storage_.emplace_back(static_cast<size_t>(view.bytes()));
    for (size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<std::byte>((37 * i + 11 + tensors_.size()) & 0xFF);
    }
    for (size_t i = 0; dtype == DType::kF32 && i < bytes.size() / 4; ++i) {
      store_le(bytes.data() + 4 * i, static_cast<float>(i) / 2 - 3);
    }
    view.data = bytes.data();
    tensors_.push_back({name, view, ""});
  }
  [[nodiscard]] const std::vector<NamedTensor>& tensors() const { return tensors_; }

 private:
  std::vector<std::vector<std::byte>> storage_;
  std::vector<NamedTensor> tensors_;
};

/// The last tensor fills its alignment, so that no byte at the file's end is padding.
inline SampleTensors sample_gguf_tensors() {
  SampleTensors sample;
  sample.add("half", DType::kF16, {2, 3, 5});
  sample.add("brain", DType::kBF16, {7});
  sample.add("q8", DType::kQ8_0, {3, 64});
  sample.add("q4k", DType::kQ4_K, {2, 256});
  sample.add("mx", DType::kMXFP4, {1, 2, 1, 32});
  sample.add("token_embd.weight", DType::kF32, {4, 8});
  return sample;
}

inline SampleTensors sample_safetensors() {
  SampleTensors sample;
  sample.add("model.embed_tokens.weight", DType::kF32, {4, 3});
  sample.add("brain", DType::kBF16, {2, 1, 3, 2});
  sample.add("half", DType::kF16, {5});
  sample.add("scalar", DType::kF32, {});
  return sample;
}

/// Every value type, at its limits, and an array of each.
inline void put_sample_metadata(GgufWriter& writer) {
  constexpr std::array<uint8_t, 3> kBytes{0, 1, 255};
  constexpr std::array<int8_t, 2> kSignedBytes{-128, 127};
  constexpr std::array<uint16_t, 2> kShorts{0, 65535};
  constexpr std::array<int16_t, 2> kSignedShorts{-32768, 32767};
  constexpr std::array<uint32_t, 2> kWords{0, 4294967295u};
  constexpr std::array<int32_t, 3> kSignedWords{-2147483647 - 1, 0, 2147483647};
  constexpr std::array<uint64_t, 2> kLongs{0, std::numeric_limits<uint64_t>::max()};
  constexpr std::array<int64_t, 2> kSignedLongs{std::numeric_limits<int64_t>::min(),
                                                std::numeric_limits<int64_t>::max()};
  constexpr std::array<float, 2> kFloats{1.5f, -0.1f};
  constexpr std::array<double, 2> kDoubles{0.1, -1e300};
  constexpr std::array<bool, 3> kFlags{true, false, true};
  const std::vector<std::string> strings{"", "\u2581the", "<0x0A>", "Stra\u00DFe"};

  writer.put_string("general.architecture", "sample");
  writer.put_uint8("x.uint8", 200).put_int8("x.int8", -100);
  writer.put_uint16("x.uint16", 60000).put_int16("x.int16", -30000);
  writer.put_uint32("x.uint32", 4000000000u).put_int32("x.int32", -2000000000);
  writer.put_uint64("x.uint64", std::numeric_limits<uint64_t>::max());
  writer.put_int64("x.int64", std::numeric_limits<int64_t>::min());
  writer.put_float32("x.float32", 1e-5f).put_float64("x.float64", 0.1);
  writer.put_bool("x.true", true).put_bool("x.false", false);
  writer.put_string("x.empty", "").put_string("x.text", "gr\u00FC\u00DF \U0001F30D");
  writer.put_uint8s("a.uint8", kBytes).put_int8s("a.int8", kSignedBytes);
  writer.put_uint16s("a.uint16", kShorts).put_int16s("a.int16", kSignedShorts);
  writer.put_uint32s("a.uint32", kWords).put_int32s("a.int32", kSignedWords);
  writer.put_uint64s("a.uint64", kLongs).put_int64s("a.int64", kSignedLongs);
  writer.put_float32s("a.float32", kFloats).put_float64s("a.float64", kDoubles);
  writer.put_bools("a.bool", kFlags).put_strings("a.string", strings);
}

/// Everything above in one file.
inline Status write_sample_gguf(const std::string& path, uint32_t version = 3) {
  const SampleTensors sample = sample_gguf_tensors();
  GgufWriter writer;
  put_sample_metadata(writer);
  for (const NamedTensor& tensor : sample.tensors()) writer.add_tensor(tensor.name, tensor.view);
  return writer.write(path, version);
}

inline Status write_sample_safetensors(const std::string& path) {
  return write_safetensors(path, sample_safetensors().tensors(), {{"format", "pt"}});
}

}  // namespace forge::formats
