#include "forge/server/openai/token_logprobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "forge/base/utf8.h"

namespace forge::server::openai {
namespace {

// JSON knows no infinity; a token that cannot come has this, as in OpenAI's and vLLM's answers.
constexpr double kImpossible = -9999.0;

double finite(double logprob) { return std::max(logprob, kImpossible); }

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

void write_top(json::Writer& writer, const Tokens& tokens, const PositionLogprobs& position) {
  std::vector<std::pair<std::string, double>> top;
  const auto add = [&](const TokenLogprob& entry) {
    std::string text = token_text(tokens.token_bytes(entry.id), "bytes:");
    const auto same = [&](const auto& other) { return other.first == text; };
    if (std::any_of(top.begin(), top.end(), same)) return;
    top.emplace_back(std::move(text), entry.logprob);
  };
  for (const TokenLogprob& entry : position.top) add(entry);
  add(position.chosen);
  writer.begin_object();
  for (const auto& [text, logprob] : top) writer.member(text, finite(logprob));
  writer.end_object();
}

void write_chat_token(json::Writer& writer, const Tokens& tokens, const TokenLogprob& entry) {
  const std::string bytes = tokens.token_bytes(entry.id);
  writer.member("token", token_text(bytes, ""));
  writer.member("logprob", finite(entry.logprob));
  writer.key("bytes").begin_array();
  for (const char byte : bytes) writer.value(int32_t{static_cast<unsigned char>(byte)});
  writer.end_array();
}

}  // namespace

std::string token_text(std::string_view bytes, std::string_view prefix) {
  if (!find_invalid_utf8(bytes)) return std::string(bytes);
  std::string text(prefix);
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= 0x20 && value < 0x7F) {
      text += byte;
    } else {
      text += fmt::format("\\x{:02x}", value);
    }
  }
  return text;
}

int64_t CompletionLogprobs::advance(int32_t id, std::string_view bytes) {
  if (skip_special_ && tokens_.is_special(id)) return n_code_points_;
  const bool begins_inside = !bytes.empty() && is_continuation(bytes.front());
  const int64_t offset = std::max<int64_t>(n_code_points_ - (begins_inside ? 1 : 0), 0);
  n_code_points_ +=
      std::count_if(bytes.begin(), bytes.end(), [](char byte) { return !is_continuation(byte); });
  return offset;
}

void CompletionLogprobs::write(json::Writer& writer, std::span<const TokenLogprobs> entries) {
  writer.begin_object();
  writer.key("tokens").begin_array();
  std::vector<int64_t> offsets;
  for (const TokenLogprobs& entry : entries) {
    const std::string bytes = tokens_.token_bytes(entry.id);
    writer.value(token_text(bytes, "bytes:"));
    offsets.push_back(advance(entry.id, bytes));
  }
  writer.end_array();
  writer.key("token_logprobs").begin_array();
  for (const TokenLogprobs& entry : entries) {
    entry.position ? writer.value(finite(entry.position->chosen.logprob)) : writer.null();
  }
  writer.end_array();
  writer.key("top_logprobs").begin_array();
  for (const TokenLogprobs& entry : entries) {
    if (entry.position) {
      write_top(writer, tokens_, *entry.position);
    } else {
      writer.null();
    }
  }
  writer.end_array();
  writer.key("text_offset").begin_array();
  for (const int64_t offset : offsets) writer.value(offset);
  writer.end_array();
  writer.end_object();
}

void write_chat_logprobs(json::Writer& writer, const Tokens& tokens,
                         std::span<const PositionLogprobs> positions) {
  writer.begin_object();
  writer.key("content").begin_array();
  for (const PositionLogprobs& position : positions) {
    writer.begin_object();
    write_chat_token(writer, tokens, position.chosen);
    writer.key("top_logprobs").begin_array();
    for (const TokenLogprob& entry : position.top) {
      writer.begin_object();
      write_chat_token(writer, tokens, entry);
      writer.end_object();
    }
    writer.end_array().end_object();
  }
  writer.end_array();
  writer.key("refusal").null();
  writer.end_object();
}

}  // namespace forge::server::openai
