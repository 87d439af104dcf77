// Parsing one GGUF file; gguf.h has the drawing of the layout and what is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/byte_cursor.h"
#include "forge/formats/gguf.h"

namespace forge::formats {

/// One pass over the bytes of one file. Every count, length and offset is compared with what is
/// left of the file before it is used, so work and memory are bounded by the file's size. Errors
/// read "file: field: found ..., expected ... (byte offset)".
class GgufReader {
 public:
  /// The tensors and strings of the result point into bytes.
  [[nodiscard]] static Result<GgufFile> read(std::span<const std::byte> bytes,
                                             const std::string& path);

 private:
  // Where a tensor lies, as its table entry says; offset counts from the data section.
  struct Extent {
    uint64_t offset;
    uint64_t bytes;
    uint64_t name_offset;  // of the table's entry and of its offset field in the file, for messages
    uint64_t field_offset;
    std::string name;  // as messages write it: tensor "x"
  };

  GgufReader(std::span<const std::byte> bytes, const std::string& path);

  Status read_header();
  Status read_metadata();
  Status read_tensor_table();
  Status read_tensor(uint64_t index);
  Status place_tensors();

  Result<std::string_view> read_name(const std::string& field);
  Result<GgufValue> read_value(std::string_view key);
  Result<GgufValue> read_array(std::string_view key);
  Status skip_strings(std::string_view key, uint64_t count);
  Status check_bools(std::string_view key, std::span<const std::byte> values,
                     uint64_t offset) const;
  Result<Shape> read_shape(const std::string& field);
  Result<uint64_t> read_alignment() const;

  template <typename T>
  Result<T> read_number(std::string_view field);
  template <typename... Args>
  Error error_at(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const;

  std::span<const std::byte> bytes_;
  ByteCursor cursor_;
  GgufFile file_;
  uint64_t n_tensors_ = 0;
  uint64_t n_keys_ = 0;
  std::vector<NamedTensor> tensors_;
  std::vector<Extent> extents_;  // of tensors_, by index
};

}  // namespace forge::formats
