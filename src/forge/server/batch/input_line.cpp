#include "forge/server/batch/input_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "forge/base/hash.h"
#include "forge/server/openai/fields.h"

namespace forge::server::batch {
namespace {

constexpr size_t kMaxIdBytes = 512;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr auto kUrls = [] {
  std::array<std::string_view, openai::kCallParsers.size()> urls;
  for (size_t i = 0; i < urls.size(); ++i) urls[i] = openai::kCallParsers[i].path;
  return urls;
}();

openai::ParseCall parser_of(std::string_view url) {
  for (const openai::CallParser& parser : openai::kCallParsers) {
    if (parser.path == url) return parser.parse;
  }
  return nullptr;
}

/// OpenAI's codes: "missing_required_parameter", "invalid_url", ...
LineError to_line_error(const openai::ApiError& error, bool is_missing) {
  LineError result;
  result.param = error.param;
  result.message = error.message;
  result.code = is_missing ? "missing_required_parameter" : "invalid_request";
  constexpr std::array<std::string_view, 4> kMembers = {"custom_id", "method", "url", "body"};
  const bool is_member = std::find(kMembers.begin(), kMembers.end(), error.param) != kMembers.end();
  if (is_member && !is_missing) result.code = fmt::format("invalid_{}", *error.param);
  return result;
}

}  // namespace

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

LineKey key_of(const Line& line) {
  return {.number = line.number, .hash = hash64(std::as_bytes(std::span(line.text)))};
}

std::variant<InputRequest, LineError> parse_input_line(const Line& line, bool is_lenient) {
  const auto named = [&](LineError error) {
    error.message = fmt::format("line {}: {}", line.number, error.message);
    return error;
  };
  std::string_view text = line.text;
  if (line.length > static_cast<int64_t>(text.size())) {
    return named(
        {.code = "line_too_long",
         .message = fmt::format("{} bytes, at most {} expected", line.length, text.size())});
  }
  if (line.number == 1 && text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  Result<json::Document> document = json::Document::parse(text, "", line.number);
  if (!document.ok()) {
    return LineError{.code = "invalid_json_line", .message = document.error().message};
  }
  const json::Value root = document->root();
  if (!root.is_object()) {
    return named({.code = "invalid_json_line",
                  .message = fmt::format("expected an object, got {}", openai::shown(root))});
  }
  std::optional<openai::ApiError> error;
  openai::Fields fields(root, "", error);
  const std::string_view custom_id = fields.text("custom_id", kMaxIdBytes).value_or("");
  bool is_missing = false;
  const auto require = [&](std::string_view name, bool is_there) {
    if (is_there || error) return;
    is_missing = true;
    fields.fail(name, "required");
  };
  require("custom_id", !custom_id.empty());
  constexpr std::array<std::string_view, 1> kMethods = {"POST"};
  require("method", fields.word("method", kMethods).has_value());
  const std::string_view url = fields.word("url", kUrls).value_or("");
  require("url", !url.empty());
  const json::Value body = fields.object("body");
  require("body", !body.is_missing());
  std::vector<std::string> ignored;
  fields.finish(is_lenient ? &ignored : nullptr);
  if (error) {
    LineError line_error = to_line_error(*error, is_missing);
    if (!custom_id.empty()) line_error.custom_id = std::string(custom_id);
    return named(std::move(line_error));
  }
  return InputRequest{.custom_id = std::string(custom_id),
                      .parse = parser_of(url),
                      .line = std::move(*document),
                      .body = body};
}

}  // namespace forge::server::batch
