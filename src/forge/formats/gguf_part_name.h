// File names of a GGUF that is split into parts: PREFIX-00001-of-00003.gguf, as llama.cpp writes
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forge::formats {

/// A part's name taken apart. number counts from 1; 1 <= number <= count <= 99999.
struct GgufPartName {
  std::string prefix;  // directory included
  int32_t number = 0;
  int32_t count = 0;

  /// The whole name again.
  [[nodiscard]] std::string to_string() const;
};

/// Nothing where the path is not a part's name.
[[nodiscard]] std::optional<GgufPartName> parse_gguf_part_name(std::string_view path);

}  // namespace forge::formats
