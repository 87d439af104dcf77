#include "forge/formats/gguf_part_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace forge::formats {
namespace {

constexpr size_t kDigits = 5;

// Exactly five decimal digits.
std::optional<int32_t> parse_number(std::string_view digits) {
  const bool all_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.size() != kDigits || !all_digits) return std::nullopt;
  int32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

std::string GgufPartName::to_string() const {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, number, count);
}

std::optional<GgufPartName> parse_gguf_part_name(std::string_view path) {
  constexpr std::string_view kOf = "-of-";
  constexpr std::string_view kEnding = ".gguf";
  constexpr size_t kTail = 1 + kDigits + kOf.size() + kDigits + kEnding.size();
  if (path.size() < kTail || !path.ends_with(kEnding)) return std::nullopt;
  const std::string_view tail = path.substr(path.size() - kTail);
  const auto number = parse_number(tail.substr(1, kDigits));
  const auto count = parse_number(tail.substr(1 + kDigits + kOf.size(), kDigits));
  if (tail.front() != '-' || tail.substr(1 + kDigits, kOf.size()) != kOf || !number || !count) {
    return std::nullopt;
  }
  if (*number < 1 || *number > *count) return std::nullopt;
  return GgufPartName{std::string(path.substr(0, path.size() - kTail)), *number, *count};
}

}  // namespace forge::formats
