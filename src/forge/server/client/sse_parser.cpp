#include "forge/server/client/sse_parser.h"

namespace forge::server::client {

bool SseParser::feed(std::string_view bytes, FunctionRef<void(std::string_view)> on_event) {
  while (!bytes.empty()) {
    if (skips_lf_ && bytes.front() == '\n') bytes.remove_prefix(1);
    skips_lf_ = false;
    const size_t end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (line_.size() + data_.size() > kMaxEventBytes) return false;
    if (end == std::string_view::npos) return true;
    skips_lf_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(on_event);
    line_.clear();
  }
  return true;
}

void SseParser::end_line(FunctionRef<void(std::string_view)> on_event) {
  std::string_view line = line_;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (is_first_line_ && line.starts_with(kByteOrderMark)) line.remove_prefix(3);
  is_first_line_ = false;
  if (line.empty()) {
    if (has_data_) on_event(data_);
    data_.clear();
    has_data_ = false;
    return;
  }
  const size_t colon = line.find(':');
  if (line.substr(0, colon) != "data") return;
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (has_data_) data_ += '\n';
  data_ += value;
  has_data_ = true;
}

}  // namespace forge::server::client
