#include "forge/server/openai/reasoning.h"

#include <algorithm>

namespace forge::server::openai {
namespace {

constexpr ThinkTags kKnownTags[] = {
    {"<think>", "</think>"},            // DeepSeek R1, Qwen3, QwQ, GLM, SmolLM3, Granite, ...
    {"[THINK]", "[/THINK]"},            // Magistral, Ministral
    {"<seed:think>", "</seed:think>"},  // Seed-OSS
};

constexpr std::string_view kSpace = " \t\r\n";

std::string_view without_leading_space(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text;
}

std::string_view without_trailing_space(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// Length of the longest end of the text that the tag could begin with, less than the whole tag.
size_t length_of_tag_begun(std::string_view text, std::string_view tag) {
  for (size_t length = std::min(text.size(), tag.size() - 1); length > 0; --length) {
    if (text.ends_with(tag.substr(0, length))) return length;
  }
  return 0;
}

}  // namespace

std::optional<ThinkTags> find_think_tags(std::string_view chat_template) {
  for (const ThinkTags& tags : kKnownTags) {
    if (chat_template.find(tags.close) != chat_template.npos) return tags;
  }
  return std::nullopt;
}

ReasoningSplitter::ReasoningSplitter(const ThinkTags& tags, TextStart start)
    : tags_(tags), has_reasoning_(start == TextStart::kInThoughts) {}

// Decides what the text opens with; false where that is not certain yet.
bool ReasoningSplitter::pass_start(Parts& parts) {
  const std::string_view text = without_leading_space(held_);
  if (text.size() < tags_.open.size() && tags_.open.starts_with(text)) return false;
  if (text.starts_with(tags_.open)) {
    // Some models repeat a tag that the prompt has opened already.
    held_.erase(0, held_.size() - text.size() + tags_.open.size());
    has_reasoning_ = true;
  }
  if (has_reasoning_) {
    state_ = State::kReasoning;
    return true;
  }
  state_ = State::kContent;
  parts.content.swap(held_);
  at_part_start_ = false;
  return true;
}

void ReasoningSplitter::emit_reasoning(std::string_view text, Parts& parts) {
  if (at_part_start_) text = without_leading_space(text);
  if (text.empty()) return;
  at_part_start_ = false;
  parts.reasoning += text;
}

// Looks for the closing tag; false where the thoughts go on.
bool ReasoningSplitter::pass_reasoning(Parts& parts) {
  const size_t close = held_.find(tags_.close);
  const std::string_view text = held_;
  if (close == held_.npos) {
    // White space before what may be the tag may turn out to be the end of the thoughts.
    const std::string_view certain = without_trailing_space(
        text.substr(0, text.size() - length_of_tag_begun(text, tags_.close)));
    const size_t n_certain = certain.size();
    emit_reasoning(certain, parts);
    held_.erase(0, n_certain);
    return false;
  }
  emit_reasoning(without_trailing_space(text.substr(0, close)), parts);
  held_.erase(0, close + tags_.close.size());
  state_ = State::kContent;
  at_part_start_ = true;
  return true;
}

ReasoningSplitter::Parts ReasoningSplitter::add(std::string_view piece) {
  Parts parts;
  held_ += piece;
  if (state_ == State::kStart && !pass_start(parts)) return parts;
  if (state_ == State::kReasoning && !pass_reasoning(parts)) return parts;
  const std::string_view text = at_part_start_ ? without_leading_space(held_) : held_;
  if (!text.empty()) at_part_start_ = false;
  parts.content += text;
  held_.clear();
  return parts;
}

ReasoningSplitter::Parts ReasoningSplitter::flush() {
  Parts parts;
  if (state_ == State::kStart && !has_reasoning_) {
    parts.content = held_;
  } else {
    emit_reasoning(without_trailing_space(held_), parts);
  }
  held_.clear();
  return parts;
}

}  // namespace forge::server::openai
