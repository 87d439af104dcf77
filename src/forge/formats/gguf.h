// GGUF version 2 and 3. Source: docs/gguf.md of the ggml project (the format's specification).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "forge/base/result.h"
#include "forge/formats/checkpoint.h"

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

/// A metadata value. Strings and arrays are views into the file: valid while the GgufFile lives.
class GgufValue {
 public:
  [[nodiscard]] GgufType type() const { return type_; }
  /// Element type and count of an array (kArray only).
  [[nodiscard]] GgufType element_type() const { return element_type_; }
  [[nodiscard]] uint64_t size() const { return count_; }

  /// The value as that type where it fits, whatever the width in the file; else nothing.
  [[nodiscard]] std::optional<int64_t> as_int() const;
  [[nodiscard]] std::optional<double> as_double() const;  // integers too
  [[nodiscard]] std::optional<bool> as_bool() const;
  [[nodiscard]] std::optional<std::string_view> as_string() const;

  /// Whole arrays, or nothing where the element type is another. Integer arrays of any width widen.
  [[nodiscard]] std::optional<std::vector<std::string_view>> as_strings() const;
  [[nodiscard]] std::optional<std::vector<int64_t>> as_ints() const;
  [[nodiscard]] std::optional<std::vector<double>> as_doubles() const;

  /// For messages: scalars in full, arrays as their first elements and count.
  [[nodiscard]] std::string to_string() const;

 private:
  friend class GgufReader;
  GgufType type_ = GgufType::kUint8;
  GgufType element_type_ = GgufType::kUint8;
  uint64_t count_ = 1;
  std::span<const std::byte> bytes_;  // raw little-endian payload (strings: without the length)
};

/// A parsed GGUF file (or all parts of a split one): metadata and tensors, nothing copied.
class GgufFile {
 public:
  /// Opens path; where its name ends in -00001-of-000NN.gguf all NN parts are opened beside it.
  [[nodiscard]] static Result<GgufFile> open(const std::string& path);
  /// Parses bytes that outlive the result (an embedded model). origin names them in errors.
  [[nodiscard]] static Result<GgufFile> parse(std::span<const std::byte> bytes,
                                              const std::string& origin);

  [[nodiscard]] uint32_t version() const { return version_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Keys in sorted order.
  [[nodiscard]] const std::map<std::string, GgufValue, std::less<>>& metadata() const {
    return metadata_;
  }
  [[nodiscard]] const GgufValue* find(std::string_view key) const;
  [[nodiscard]] const TensorSet& tensors() const { return tensors_; }

 private:
  friend class GgufReader;
  uint32_t version_ = 0;
  std::string path_;
  std::map<std::string, GgufValue, std::less<>> metadata_;
  TensorSet tensors_;
};

}  // namespace forge::formats
