// Server-sent events: bytes in any pieces in, the data of whole events out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "forge/base/function_ref.h"

namespace forge::server::client {

/// One event stream. Lines end in LF, CR or CR LF; an event is its "data" lines joined by LF, and
/// is given out at the blank line that ends it; comments and all other fields are read and left
/// out. Source: HTML standard, 9.2.6 "Interpreting an event stream".
class SseParser {
 public:
  /// An event and a line may not be longer; a stream that goes on and on is no reason to run out of
  /// memory.
  static constexpr size_t kMaxEventBytes = size_t{16} << 20;

  /// Takes the next bytes and calls on_event for each event they complete. False where an event is
  /// too long: the rest of the stream means nothing then.
  [[nodiscard]] bool feed(std::string_view bytes, FunctionRef<void(std::string_view)> on_event);

 private:
  void end_line(FunctionRef<void(std::string_view)> on_event);

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool skips_lf_ = false;  // the last byte was a CR that ended a line
  bool is_first_line_ = true;
};

}  // namespace forge::server::client
