// HTTP requests side by side on one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "forge/hub/curl_library.h"
#include "forge/hub/fault.h"
#include "forge/hub/settings.h"

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

  [[nodiscard]] const std::string& field(const std::string& name) const;
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

/// Redirects are followed here, hop by hop: the token goes to the endpoint's own scheme, host and
/// port and nowhere else, and from https none leads to http. A request without a byte for
/// Settings::stall_timeout ends as stalled. One thread; it has to call poll() to move anything.
class Transfers {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Transfers>> make(const Settings& settings);
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// receiver must live until its on_end() or cancel().
  int64_t start(const Request& request, Receiver& receiver);
  /// Ends it without a further call.
  void cancel(int64_t id);
  /// Moves what can be moved, waiting for something to do for so long at most.
  void poll(std::chrono::milliseconds timeout);
  [[nodiscard]] size_t n_running() const { return running_.size(); }

 private:
  struct Transfer;
  Transfers(const CurlLibrary& curl, const Settings& settings);
  void begin_hop(Transfer& transfer);
  void finish(int64_t id, CURLcode code);
  void end(int64_t id, Fault fault);
  void end_stalled();
  [[nodiscard]] Fault fault_of(const Transfer& transfer, CURLcode code) const;
  [[nodiscard]] std::string origin_of(const std::string& url) const;

  const CurlLibrary& curl_;
  const Settings settings_;
  const std::string endpoint_origin_;
  CURLM* multi_;
  int64_t next_id_ = 1;
  std::map<int64_t, std::unique_ptr<Transfer>> running_;
};

}  // namespace forge::hub
