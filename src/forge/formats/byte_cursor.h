// A reading position in bytes that may be hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "forge/base/bytes.h"

namespace forge::formats {

/// Hands out numbers and ranges from the front of a buffer that somebody else owns. A call that
/// would pass the end gives nothing and does not move. No call reads outside the buffer, whatever n
/// is.
class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  /// Position from the start of the buffer, in bytes.
  [[nodiscard]] uint64_t offset() const { return offset_; }
  [[nodiscard]] uint64_t remaining() const { return bytes_.size() - offset_; }

  /// The next little-endian number.
  template <typename T>
  [[nodiscard]] std::optional<T> try_read() {
    if (remaining() < sizeof(T)) return std::nullopt;
    const T value = load_le<T>(bytes_.data() + offset_);
    offset_ += sizeof(T);
    return value;
  }

  /// The next n bytes.
  [[nodiscard]] std::optional<std::span<const std::byte>> try_take(uint64_t n) {
    if (n > remaining()) return std::nullopt;
    const auto taken = bytes_.subspan(offset_, static_cast<size_t>(n));
    offset_ += static_cast<size_t>(n);
    return taken;
  }

 private:
  std::span<const std::byte> bytes_;
  size_t offset_ = 0;
};

/// The bytes as text, nothing checked.
[[nodiscard]] inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace forge::formats
