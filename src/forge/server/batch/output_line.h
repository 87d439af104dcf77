// The lines of a batch's output, as OpenAI's batches have them, and the id by which a line says
// what it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace forge::server::batch {

/// The line of the input that an output line answers.
struct LineKey {
  int64_t number = 0;  // from 1
  uint64_t hash = 0;   // of the line's bytes

  friend bool operator==(const LineKey&, const LineKey&) = default;
};

/// "7_00c0ffee00c0ffee": the number, and the hash in hexadecimal. Ids of answers end with it.
[[nodiscard]] std::string to_text(const LineKey& key);

/// What is wrong with a line that is no request at all.
struct LineError {
  std::string code;  // "invalid_json_line"
  std::string message;
  std::optional<std::string> param = {};      // "custom_id"
  std::optional<std::string> custom_id = {};  // where that much could be read
};

/// {"id", "custom_id", "response": {"status_code", "request_id", "body"}, "error": null} and a line
/// end. body: JSON of one line.
[[nodiscard]] std::string response_line(const LineKey& key, std::string_view custom_id, int status,
                                        std::string_view body);

/// {"id", "custom_id", "response": null, "error": {"code", "message", "param", "line"}} and a line
/// end.
[[nodiscard]] std::string error_line(const LineKey& key, const LineError& error);

/// Bytes at the start of an output line that have its key.
inline constexpr size_t kKeyBytes = 80;  // a number of 19 digits included
/// The key of a line of an earlier run; nothing where such a line is not what this file writes.
[[nodiscard]] std::optional<LineKey> read_key(std::string_view line);
/// Whether these bytes may be the beginning of an output line whose rest was never written: a part
/// of one, or zeros, which a crash of the machine can leave.
[[nodiscard]] bool is_torn(std::string_view line);

}  // namespace forge::server::batch
