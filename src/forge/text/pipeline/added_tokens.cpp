#include "forge/text/pipeline/added_tokens.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "forge/text/unicode/code_points.h"

namespace forge::text {
namespace {

bool touches_word_before(std::string_view text, size_t offset) {
  if (offset == 0) return false;
  size_t length = 0;
  return is_word(code_point_at(text, previous_character(text, offset), length));
}

bool touches_word_after(std::string_view text, size_t offset) {
  if (offset == text.size()) return false;
  size_t length = 0;
  return is_word(code_point_at(text, offset, length));
}

size_t white_space_start(std::string_view text, size_t end) {
  size_t length = 0;
  while (end > 0) {
    const size_t last = previous_character(text, end);
    if (!is_white_space(code_point_at(text, last, length))) break;
    end = last;
  }
  return end;
}

size_t white_space_end(std::string_view text, size_t begin) {
  size_t length = 0;
  while (begin < text.size() && is_white_space(code_point_at(text, begin, length))) begin += length;
  return begin;
}

}  // namespace

TokenFinder::TokenFinder(const std::vector<std::string>& strings) {
  std::fill(std::begin(root_children_), std::end(root_children_), -1);
  for (size_t index = 0; index < strings.size(); ++index) {
    const std::string& string = strings[index];
    if (string.empty()) continue;
    is_empty_ = false;
    int32_t node = -1;
    for (const char c : string) {
      const auto byte = static_cast<unsigned char>(c);
      int32_t child = node < 0 ? root_children_[byte] : child_of(node, byte);
      if (child < 0) {
        child = static_cast<int32_t>(nodes_.size());
        nodes_.push_back({.byte = byte});
        if (node < 0) {
          root_children_[byte] = child;
          first_bytes_.push_back(byte);
        } else {
          nodes_.back().next_sibling = nodes_[static_cast<size_t>(node)].first_child;
          nodes_[static_cast<size_t>(node)].first_child = child;
        }
      }
      node = child;
    }
    int32_t& token = nodes_[static_cast<size_t>(node)].token;
    if (token < 0) token = static_cast<int32_t>(index);
  }
}

int32_t TokenFinder::child_of(int32_t node, unsigned char byte) const {
  int32_t child = nodes_[static_cast<size_t>(node)].first_child;
  while (child >= 0 && nodes_[static_cast<size_t>(child)].byte != byte) {
    child = nodes_[static_cast<size_t>(child)].next_sibling;
  }
  return child;
}

bool TokenFinder::find(std::string_view text, size_t offset, Match& match) const {
  if (is_empty_) return false;
  for (size_t begin = offset; begin < text.size(); ++begin) {
    if (first_bytes_.size() == 1) {
      const void* hit = std::memchr(text.data() + begin, first_bytes_[0], text.size() - begin);
      if (hit == nullptr) return false;
      begin = static_cast<size_t>(static_cast<const char*>(hit) - text.data());
    }
    int32_t node = root_children_[static_cast<unsigned char>(text[begin])];
    bool is_found = false;
    for (size_t end = begin + 1; node >= 0; ++end) {
      const Node& at = nodes_[static_cast<size_t>(node)];
      if (at.token >= 0) {
        match = {.begin = begin, .end = end, .index = static_cast<size_t>(at.token)};
        is_found = true;
      }
      if (end == text.size()) break;
      node = child_of(node, static_cast<unsigned char>(text[end]));
    }
    if (is_found) return true;
  }
  return false;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, const NormalizerChain& normalizers) {
  // The library builds its matcher from the special tokens first.
  std::stable_partition(tokens.begin(), tokens.end(),
                        [](const AddedToken& token) { return token.is_special; });
  std::vector<std::string> raw_strings;
  std::vector<std::string> normalized_strings;
  for (AddedToken& token : tokens) {
    if (token.is_normalized) {
      Segment segment{.text = token.content, .at_start = true};
      for (const auto& normalizer : normalizers) normalizer->apply(segment);
      normalized_strings.push_back(std::move(segment.text));
      normalized_.push_back(std::move(token));
    } else {
      raw_strings.push_back(token.content);
      raw_.push_back(std::move(token));
    }
  }
  raw_finder_ = TokenFinder(raw_strings);
  normalized_finder_ = TokenFinder(normalized_strings);
}

void AddedTokens::for_each_part(std::string_view text, bool parse_special,
                                const TokenFinder& finder, const std::vector<AddedToken>& tokens,
                                PartSink sink) const {
  size_t covered = 0;
  size_t offset = 0;
  TokenFinder::Match match;
  while (finder.find(text, offset, match)) {
    offset = match.end;
    const AddedToken& token = tokens[match.index];
    if (token.is_special && !parse_special) continue;
    if (token.single_word &&
        (touches_word_before(text, match.begin) || touches_word_after(text, match.end))) {
      continue;
    }
    size_t begin = match.begin;
    size_t end = match.end;
    if (token.lstrip) begin = std::max(white_space_start(text, begin), covered);
    if (token.rstrip) end = white_space_end(text, end);
    if (covered < begin) sink({covered, begin, nullptr});
    sink({begin, end, &token});
    covered = end;
  }
  if (covered < text.size()) sink({covered, text.size(), nullptr});
}

void AddedTokens::split(std::string_view text, bool parse_special,
                        const NormalizerChain& normalizers,
                        FunctionRef<void(const Segment&)> on_text,
                        FunctionRef<void(int32_t)> on_token) const {
  for_each_part(text, parse_special, raw_finder_, raw_, [&](const Part& part) {
    if (part.token != nullptr) return on_token(part.token->id);
    Segment segment{.text = std::string(text.substr(part.begin, part.end - part.begin)),
                    .at_start = part.begin == 0};
    for (const auto& normalizer : normalizers) normalizer->apply(segment);
    for_each_part(segment.text, parse_special, normalized_finder_, normalized_,
                  [&](const Part& inner) {
                    if (inner.token != nullptr) return on_token(inner.token->id);
                    if (inner.begin == 0 && inner.end == segment.text.size())
                      return on_text(segment);
                    on_text({.text = segment.text.substr(inner.begin, inner.end - inner.begin),
                             .at_start = segment.at_start && inner.begin == 0});
                  });
  });
}

}  // namespace forge::text
