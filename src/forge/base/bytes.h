// Arithmetic and loads for data that may be hostile: sizes are checked before they are used.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

namespace forge {

static_assert(std::endian::native == std::endian::little,
              "file formats are read by memcpy: a big-endian port needs byte swaps in load_le");

/// a + b, or nothing where the sum does not fit 64 bits.
[[nodiscard]] inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// a * b, or nothing where the product does not fit 64 bits.
[[nodiscard]] inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// Reads a little-endian number from any address. The caller has checked that sizeof(T) bytes are
/// there.
template <typename T>
requires std::is_trivially_copyable_v<T>
[[nodiscard]] T load_le(const std::byte* address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return value;
}

/// Writes a little-endian number to any address.
template <typename T>
requires std::is_trivially_copyable_v<T>
void store_le(std::byte* address, T value) { std::memcpy(address, &value, sizeof(T)); }

}  // namespace forge
