#include "forge/formats/quote.h"

#include "forge/base/json.h"
#include "forge/base/utf8.h"

namespace forge::formats {

std::string quote(std::string_view text) {
  constexpr size_t kMaxBytes = 96;
  const bool is_cut = text.size() > kMaxBytes;
  if (is_cut) {
    text = text.substr(0, kMaxBytes);
    text = text.substr(0, complete_utf8_prefix(text));
  }
  std::string quoted = json::Writer().value(text).text();
  if (is_cut) quoted += "...";
  return quoted;
}

}  // namespace forge::formats
