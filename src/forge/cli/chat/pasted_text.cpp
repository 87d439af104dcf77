#include "forge/cli/chat/pasted_text.h"

#include <algorithm>

namespace forge::cli::chat {

std::string pasted_text(std::string_view sent) {
  constexpr std::string_view kEndMark = "\x1b[201~";
  if (sent.ends_with(kEndMark)) sent.remove_suffix(kEndMark.size());
  std::string text;
  for (size_t i = 0; i < sent.size(); ++i) {
    const auto byte = static_cast<unsigned char>(sent[i]);
    if (byte == '\r') {
      text += '\n';
      if (i + 1 < sent.size() && sent[i + 1] == '\n') ++i;
    } else if (byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7f)) {
      text += sent[i];
    }
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string completion(std::string_view line, const std::vector<std::string>& words) {
  if (line.empty()) return {};
  std::string common;
  size_t n = 0;
  for (const std::string& word : words) {
    if (!word.starts_with(line)) continue;
    const std::string rest = word.substr(line.size());
    if (n++ == 0) {
      common = rest;
    } else {
      const auto [end, other] =
          std::mismatch(common.begin(), common.end(), rest.begin(), rest.end());
      common.erase(end, common.end());
    }
  }
  return n == 1 ? common + " " : common;
}

}  // namespace forge::cli::chat
