#include "forge/text/stop_strings.h"

#include <algorithm>
#include <utility>

#include "forge/base/utf8.h"

namespace forge::text {
namespace {

std::vector<size_t> failure_table(std::string_view text) {
  std::vector<size_t> failure(text.size(), 0);
  size_t length = 0;
  for (size_t i = 1; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length]) length = failure[length - 1];
    if (text[i] == text[length]) ++length;
    failure[i] = length;
  }
  return failure;
}

}  // namespace

Result<StopMatcher> StopMatcher::create(std::vector<std::string> stops) {
  std::vector<Pattern> patterns;
  for (std::string& stop : stops) {
    if (stop.empty()) return make_error("a stop string is empty, expected at least one character");
    if (const auto offset = find_invalid_utf8(stop)) {
      return make_error("a stop string is not valid UTF-8: byte {} is 0x{:02x}", *offset,
                        static_cast<unsigned char>(stop[*offset]));
    }
    std::vector<size_t> failure = failure_table(stop);
    patterns.push_back({std::move(stop), std::move(failure), 0});
  }
  return StopMatcher(std::move(patterns));
}

std::string StopMatcher::add(std::string_view piece) {
  if (match_) return {};
  for (const char byte : piece) {
    held_ += byte;
    for (size_t p = 0; p < patterns_.size(); ++p) {
      Pattern& pattern = patterns_[p];
      size_t& n = pattern.n_matched;
      while (n > 0 && pattern.text[n] != byte) n = pattern.failure[n - 1];
      if (pattern.text[n] == byte) ++n;
      if (n < pattern.text.size()) continue;
      if (!match_ || n > patterns_[*match_].text.size()) match_ = p;
    }
    if (match_) {
      held_.resize(held_.size() - patterns_[*match_].text.size());
      return std::exchange(held_, {});
    }
  }
  size_t n_possible = 0;
  for (const Pattern& pattern : patterns_) n_possible = std::max(n_possible, pattern.n_matched);
  const size_t n_certain = held_.size() - n_possible;
  std::string certain = held_.substr(0, n_certain);
  held_.erase(0, n_certain);
  return certain;
}

std::string StopMatcher::flush() { return std::exchange(held_, {}); }

std::optional<std::string_view> StopMatcher::matched() const {
  if (!match_) return std::nullopt;
  return patterns_[*match_].text;
}

}  // namespace forge::text
