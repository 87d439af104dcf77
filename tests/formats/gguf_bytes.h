// Builds GGUF files byte by byte, valid or not, without the writer under test. Notes where each
// length, count, dimension and offset stands, so that a test can put a hostile number there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forge/base/bytes.h"
#include "forge/formats/gguf_value.h"

namespace forge::formats {

class GgufBytes {
 public:
  /// A number that says how much follows, or where something is.
  struct SizeField {
    std::string what;
    size_t offset;
    size_t width;  // 4 or 8 bytes
  };

  GgufBytes& header(uint64_t n_tensors, uint64_t n_keys, uint32_t version = 3) {
    return raw("GGUF").number(version).size("tensor count", n_tensors).size("key count", n_keys);
  }
  GgufBytes& raw(std::string_view text) {
    const auto added = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), added.begin(), added.end());
    return *this;
  }
  template <typename T>
  GgufBytes& number(T value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    store_le(bytes_.data() + at, value);
    return *this;
  }
  template <typename T>
  GgufBytes& size(std::string what, T value) {
    fields_.push_back({std::move(what), bytes_.size(), sizeof(T)});
    return number(value);
  }
  GgufBytes& string(std::string_view text) {
    return size<uint64_t>("length of \"" + std::string(text) + "\"", text.size()).raw(text);
  }
  /// A key and its value's type; the value comes next.
  GgufBytes& key(std::string_view name, GgufType type) {
    return string(name).number(static_cast<uint32_t>(type));
  }
  GgufBytes& array(GgufType element, uint64_t count) {
    return number(static_cast<uint32_t>(element)).size("array count", count);
  }
  /// A tensor's table entry, dimensions innermost first.
  GgufBytes& tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type,
                    uint64_t offset) {
    string(name).size("n_dims", static_cast<uint32_t>(dims.size()));
    for (const uint64_t dim : dims) size("dimension", dim);
    return number(type).size("offset", offset);
  }
  /// Zeros up to a multiple of alignment, then n bytes of data.
  GgufBytes& data(size_t n, size_t alignment = 32) {
    bytes_.resize((bytes_.size() + alignment - 1) / alignment * alignment + n);
    return *this;
  }

  [[nodiscard]] const std::vector<std::byte>& bytes() const { return bytes_; }
  [[nodiscard]] const std::vector<SizeField>& size_fields() const { return fields_; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<SizeField> fields_;
};

}  // namespace forge::formats
