// Writing GGUF version 3 (or 2) files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/gguf_value.h"
#include "forge/tensor/view.h"

namespace forge::formats {

/// How many tensors, and how many bytes of tensor data, one part of a split file may have. A tensor
/// larger than max_bytes gets a part of its own.
struct GgufSplitLimits {
  size_t max_tensors = std::numeric_limits<size_t>::max();
  uint64_t max_bytes = std::numeric_limits<uint64_t>::max();
};

/// Collects metadata and tensors, then writes the file in one pass. Tensor views must stay valid
/// until writing returns. Keys and tensors are written in the order they were added. A uint32 under
/// "general.alignment" sets the alignment of the tensor data; without it 32 is used.
///
/// What the reader would refuse, write() and write_split() refuse before they create a file: a key
/// or tensor name that is there twice, longer than 65535 bytes or not UTF-8; an alignment that is
/// no power of two; a tensor without elements.
class GgufWriter {
 public:
  GgufWriter& put_uint8(std::string_view key, uint8_t value);
  GgufWriter& put_int8(std::string_view key, int8_t value);
  GgufWriter& put_uint16(std::string_view key, uint16_t value);
  GgufWriter& put_int16(std::string_view key, int16_t value);
  GgufWriter& put_uint32(std::string_view key, uint32_t value);
  GgufWriter& put_int32(std::string_view key, int32_t value);
  GgufWriter& put_uint64(std::string_view key, uint64_t value);
  GgufWriter& put_int64(std::string_view key, int64_t value);
  GgufWriter& put_float32(std::string_view key, float value);
  GgufWriter& put_float64(std::string_view key, double value);
  GgufWriter& put_bool(std::string_view key, bool value);
  GgufWriter& put_string(std::string_view key, std::string_view value);

  GgufWriter& put_uint8s(std::string_view key, std::span<const uint8_t> values);
  GgufWriter& put_int8s(std::string_view key, std::span<const int8_t> values);
  GgufWriter& put_uint16s(std::string_view key, std::span<const uint16_t> values);
  GgufWriter& put_int16s(std::string_view key, std::span<const int16_t> values);
  GgufWriter& put_uint32s(std::string_view key, std::span<const uint32_t> values);
  GgufWriter& put_int32s(std::string_view key, std::span<const int32_t> values);
  GgufWriter& put_uint64s(std::string_view key, std::span<const uint64_t> values);
  GgufWriter& put_int64s(std::string_view key, std::span<const int64_t> values);
  GgufWriter& put_float32s(std::string_view key, std::span<const float> values);
  GgufWriter& put_float64s(std::string_view key, std::span<const double> values);
  GgufWriter& put_bools(std::string_view key, std::span<const bool> values);
  GgufWriter& put_strings(std::string_view key, std::span<const std::string> values);

  /// Copies a value of any type from a parsed file as it is.
  GgufWriter& put_value(std::string_view key, const GgufValue& value);

  void add_tensor(std::string_view name, const TensorView& view);

  /// Writes to path (through a temporary file beside it that is renamed when complete).
  [[nodiscard]] Status write(const std::string& path, uint32_t version = 3) const;

  /// The bytes before the tensor data, padding included: the data of the tensors follows in the
  /// order they were added, each padded to the alignment. Needs dtype and shape of the views only,
  /// their data may be missing. origin names the file in errors.
  [[nodiscard]] Result<std::vector<std::byte>> head(const std::string& origin,
                                                    uint32_t version = 3) const;

  /// Writes prefix-00001-of-000NN.gguf and so on, tensors in order, all metadata in the first part;
  /// split.no, split.count and split.tensors.count (which must not have been put) in every part.
  /// Returns the paths. Parts that were written before an error stay.
  [[nodiscard]] Result<std::vector<std::string>> write_split(const std::string& prefix,
                                                             const GgufSplitLimits& limits,
                                                             uint32_t version = 3) const;

 private:
  struct Entry {
    std::string key;
    GgufType type;
    std::vector<std::byte> payload;  // everything after the value type, as the file has it
  };
  struct Tensor {
    std::string name;
    TensorView view;
  };

  template <typename T>
  GgufWriter& put_number(std::string_view key, GgufType type, T value);
  template <typename T>
  GgufWriter& put_numbers(std::string_view key, GgufType type, std::span<const T> values);
  [[nodiscard]] Result<uint64_t> checked_alignment(const std::string& path) const;
  [[nodiscard]] Status check_names(const std::string& path, uint32_t version) const;
  [[nodiscard]] Status check(const std::string& path, uint32_t version) const;
  [[nodiscard]] static std::vector<std::byte> head_of(uint64_t alignment, uint32_t version,
                                                      std::span<const Entry> entries,
                                                      std::span<const Tensor> tensors);
  [[nodiscard]] Status write_part(const std::string& path, uint32_t version,
                                  std::span<const Entry> entries,
                                  std::span<const Tensor> tensors) const;

  std::vector<Entry> entries_;
  std::vector<Tensor> tensors_;
};

}  // namespace forge::formats
