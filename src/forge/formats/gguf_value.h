// One metadata value of a GGUF file. Source: docs/gguf.md of the ggml project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forge::formats {

/// Metadata value types with the numbers of the file.
enum class GgufType : uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

/// The file's number as a type, or nothing where the format has no such type.
[[nodiscard]] std::optional<GgufType> gguf_type_from_id(uint32_t id);
/// "uint8", ..., "float64", as the specification writes them.
[[nodiscard]] std::string_view name(GgufType type);
/// Bytes of a number or bool; 0 for strings and arrays, whose size their content gives.
[[nodiscard]] uint64_t gguf_type_bytes(GgufType type);

/// A metadata value. Strings and arrays are views into the file: valid while the GgufFile lives.
class GgufValue {
 public:
  [[nodiscard]] GgufType type() const { return type_; }
  /// Element type and count of an array; of everything else the type itself and 1.
  [[nodiscard]] GgufType element_type() const { return element_type_; }
  [[nodiscard]] uint64_t size() const { return count_; }
  /// The little-endian bytes of the value as they lie in the file: a string without its length, an
  /// array's elements without type and count (but strings in it with their lengths).
  [[nodiscard]] std::span<const std::byte> payload() const { return bytes_; }

  /// The value as that type where it fits, whatever the width in the file; else nothing.
  [[nodiscard]] std::optional<int64_t> as_int() const;
  [[nodiscard]] std::optional<double> as_double() const;  // integers too
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<std::string_view> as_string() const;

  /// Whole arrays, or nothing where the element type is another. Integer arrays of any width widen;
  /// as_doubles takes integers too.
  [[nodiscard]] std::optional<std::vector<std::string_view>> as_strings() const;
  [[nodiscard]] std::optional<std::vector<int64_t>> as_ints() const;
  [[nodiscard]] std::optional<std::vector<double>> as_doubles() const;
  [[nodiscard]] std::optional<std::vector<bool>> as_bools() const;

  /// For messages: scalars in full (long strings cut), arrays as their first elements and count.
  [[nodiscard]] std::string to_string() const;

 private:
  friend class GgufReader;
  GgufType type_ = GgufType::kUint8;
  GgufType element_type_ = GgufType::kUint8;
  uint64_t count_ = 0;
  std::span<const std::byte> bytes_;
};

}  // namespace forge::formats
