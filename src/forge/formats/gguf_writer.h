// Writing GGUF version 3 (or 2) files.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/gguf.h"
#include "forge/tensor/view.h"

namespace forge::formats {

/// Collects metadata and tensors, then writes the file in one pass. Tensor views must stay valid until
/// write() returns. Keys and tensor names must be unique (checked).
class GgufWriter {
 public:
  GgufWriter& put_uint32(std::string_view key, uint32_t value);
  GgufWriter& put_int32(std::string_view key, int32_t value);
  GgufWriter& put_uint64(std::string_view key, uint64_t value);
  GgufWriter& put_float32(std::string_view key, float value);
  GgufWriter& put_bool(std::string_view key, bool value);
  GgufWriter& put_string(std::string_view key, std::string_view value);
  GgufWriter& put_strings(std::string_view key, std::span<const std::string> values);
  GgufWriter& put_int32s(std::string_view key, std::span<const int32_t> values);
  GgufWriter& put_float32s(std::string_view key, std::span<const float> values);
  /// Copies a value of any type from a parsed file as it is.
  GgufWriter& put_value(std::string_view key, const GgufValue& value);

  void add_tensor(std::string_view name, const TensorView& view);

  /// Writes to path (through a temporary file beside it that is renamed when complete).
  [[nodiscard]] Status write(const std::string& path, uint32_t version = 3) const;

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
  std::vector<Entry> entries_;
  std::vector<Tensor> tensors_;
};

}  // namespace forge::formats
