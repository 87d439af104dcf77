#include "forge/server/batch/output_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "forge/base/json.h"

namespace forge::server::batch {
namespace {

constexpr std::string_view kOpening = "{\"id\":\"batch_req_";
constexpr size_t kHashDigits = 16;

/// Takes a number off the front of the text.
template <typename T>
bool take_number(std::string_view& text, int base, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

std::string quoted(std::string_view text) {
  json::Writer writer;
  writer.value(text);
  return writer.text();
}

}  // namespace

std::string to_text(const LineKey& key) { return fmt::format("{}_{:016x}", key.number, key.hash); }

std::string response_line(const LineKey& key, std::string_view custom_id, int status,
                          std::string_view body) {
  const std::string id = to_text(key);
  return fmt::format(
      "{}{}\",\"custom_id\":{},\"response\":{{\"status_code\":{},\"request_id\":\"req_{}\","
      "\"body\":{}}},\"error\":null}}\n",
      kOpening, id, quoted(custom_id), status, id, body);
}

std::string error_line(const LineKey& key, const LineError& error) {
  const auto optional = [](const std::optional<std::string>& text) {
    return text ? quoted(*text) : std::string("null");
  };
  return fmt::format(
      "{}{}\",\"custom_id\":{},\"response\":null,\"error\":{{\"code\":{},\"message\":{},"
      "\"param\":{},\"line\":{}}}}}\n",
      kOpening, to_text(key), optional(error.custom_id), quoted(error.code), quoted(error.message),
      optional(error.param), key.number);
}

std::optional<LineKey> read_key(std::string_view line) {
  if (!line.starts_with(kOpening)) return std::nullopt;
  line.remove_prefix(kOpening.size());
  LineKey key;
  if (!take_number(line, 10, key.number) || key.number < 1) return std::nullopt;
  if (!line.starts_with('_')) return std::nullopt;
  line.remove_prefix(1);
  const size_t n_before = line.size();
  if (!take_number(line, 16, key.hash) || n_before - line.size() != kHashDigits) {
    return std::nullopt;
  }
  if (!line.starts_with("\",\"custom_id\":")) return std::nullopt;
  return key;
}

bool is_torn(std::string_view line) {
  return line.starts_with(kOpening) || kOpening.starts_with(line) ||
         std::all_of(line.begin(), line.end(), [](char c) { return c == '\0'; });
}

}  // namespace forge::server::batch
