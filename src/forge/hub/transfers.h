// HTTP requests side by side on one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "forge/hub/curl_library.h"
#include "forge/hub/request.h"
#include "forge/hub/settings.h"
#include "forge/hub/transfer.h"

namespace forge::hub {

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
  Transfers(const CurlLibrary& curl, const Settings& settings);
  void begin_hop(Transfer& transfer);
  void finish(int64_t id, CURLcode code);
  void end(int64_t id, const Fault& fault);
  void end_stalled();

  const CurlLibrary& curl_;
  const Settings settings_;
  const std::string endpoint_origin_;
  CURLM* multi_;
  int64_t next_id_ = 1;
  std::map<int64_t, std::unique_ptr<Transfer>> running_;
};

}  // namespace forge::hub
