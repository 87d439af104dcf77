// What is asked over HTTP, and who gets the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "forge/hub/fault.h"

namespace forge::hub {

/// Bytes [begin, end) of a file.
struct ByteRange {
  int64_t begin = 0;
  int64_t end = 0;
};

struct Request {
  std::string url;
  bool is_head = false;  // the answer's head only; leaves redirects to other hosts unfollowed
  std::optional<ByteRange> range = std::nullopt;
};

/// An answer before its body.
struct ResponseHead {
  int status = 0;
  std::map<std::string, std::string> fields = {};  // names in lower case; only of this answer
  std::string url = {};                            // that gave it, after redirects

  /// Empty where it is not there.
  [[nodiscard]] const std::string& field(const std::string& name) const;
  [[nodiscard]] bool is_redirect() const;
};

/// Who gets an answer. Must not start or cancel requests from on_head and on_body.
class Receiver {
 public:
  virtual ~Receiver() = default;
  /// A status of 200 to 299 (with is_head also a redirect). False: stop (Fault::Kind::kStopped).
  virtual bool on_head(const ResponseHead& head) = 0;
  virtual bool on_body(std::span<const char> bytes) = 0;
  /// The last call. Statuses from 400 on come as a fault.
  virtual void on_end(const Fault& fault) = 0;
};

}  // namespace forge::hub
