// Builds safetensors files from header text, valid or not, without the writer under test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "forge/base/bytes.h"

namespace forge::formats {

/// Header length, header, n bytes of data that count up from 0.
inline std::vector<std::byte> safetensors_bytes(std::string_view header, size_t n) {
  std::vector<std::byte> file(8);
  store_le(file.data(), static_cast<uint64_t>(header.size()));
  const auto text = std::as_bytes(std::span(header));
  file.insert(file.end(), text.begin(), text.end());
  for (size_t i = 0; i < n; ++i) file.push_back(static_cast<std::byte>(i & 0xFF));
  return file;
}

}  // namespace forge::formats
