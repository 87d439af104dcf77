// Reads everything a parsed file hands out, so that a sanitizer sees any view that leaves the file.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "forge/formats/gguf.h"

namespace forge::formats {

/// Aborts unless the range lies inside the file.
inline void expect_inside(std::span<const std::byte> file, const std::byte* begin, size_t size) {
  const bool is_inside = begin >= file.data() && begin + size <= file.data() + file.size();
  if (size == 0 || is_inside) return;
  std::fputs("a view leaves the file\n", stderr);
  std::abort();
}

/// Sum of all bytes of all tensors; each lies inside file and is found under its name.
inline uint64_t touch(const TensorSet& tensors, std::span<const std::byte> file) {
  uint64_t sum = 0;
  for (const NamedTensor& tensor : tensors.tensors()) {
    const auto size = static_cast<size_t>(tensor.view.bytes());
    expect_inside(file, tensor.view.data, size);
    for (size_t i = 0; i < size; ++i) sum += std::to_integer<uint64_t>(tensor.view.data[i]);
    if (tensors.find(tensor.name) != &tensor) std::abort();
  }
  return sum;
}

/// The same for metadata too, through every accessor.
inline uint64_t touch(const GgufFile& gguf, std::span<const std::byte> file) {
  uint64_t sum = touch(gguf.tensors(), file);
  for (const auto& [key, value] : gguf.metadata()) {
    expect_inside(file, value.payload().data(), value.payload().size());
    for (const std::byte byte : value.payload()) sum += std::to_integer<uint64_t>(byte);
    sum += value.to_string().size() + key.size();
    sum += static_cast<uint64_t>(value.as_int().value_or(0));
    sum += value.as_double().has_value() + value.as_bool().value_or(false);
    sum += value.as_string().value_or("").size();
    if (const auto strings = value.as_strings()) {
      for (const auto text : *strings) {
        for (const char c : text) sum += static_cast<unsigned char>(c);
      }
    }
    if (const auto numbers = value.as_ints()) sum += numbers->size();
    if (const auto numbers = value.as_doubles()) sum += numbers->size();
    if (const auto flags = value.as_bools()) sum += flags->size();
  }
  return sum;
}

}  // namespace forge::formats
