// One request on its way, from hop to hop where it is redirected.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "forge/hub/curl_library.h"
#include "forge/hub/request.h"
#include "forge/hub/settings.h"

namespace forge::hub {

/// An easy handle of libcurl with what came over it. Lives at one address, which libcurl knows.
class Transfer {
 public:
  using Clock = std::chrono::steady_clock;

  Transfer(const CurlLibrary& curl, const Settings& settings, int64_t id, Request request,
           Receiver& receiver);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Makes the handle ready for the request's URL. The token goes along where the URL is of this
  /// origin.
  void prepare(const std::string& token_origin);
  /// To where a redirect leads, as an absolute URL.
  [[nodiscard]] std::string next_url() const;
  void redirect(const std::string& url);
  /// What libcurl's result for the present hop means. None for an answer below 400, redirects
  /// included.
  [[nodiscard]] Fault fault_of(CURLcode code) const;
  /// The end: tells the receiver, where there still is one, with what is known of the last hop.
  void tell_end(Fault fault);
  void forget_receiver() { receiver_ = nullptr; }

  [[nodiscard]] int64_t id() const { return id_; }
  [[nodiscard]] CURL* easy() const { return easy_; }
  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] const std::string& origin() const { return origin_; }
  [[nodiscard]] int n_hops() const { return n_hops_; }
  [[nodiscard]] Clock::time_point last_byte() const { return last_byte_; }
  [[nodiscard]] Receiver* receiver() const { return receiver_; }

 private:
  [[nodiscard]] bool on_line(std::string_view line);
  [[nodiscard]] bool on_bytes(std::span<const char> bytes);
  static size_t header_callback(char* bytes, size_t size, size_t n, void* self);
  static size_t write_callback(char* bytes, size_t size, size_t n, void* self);

  const CurlLibrary& curl_;
  const Settings& settings_;
  const int64_t id_;
  Request request_;
  Receiver* receiver_;
  CURL* easy_;
  curl_slist* fields_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  int n_hops_ = 0;
  bool has_told_head_ = false;
  bool sent_token_ = false;
  bool has_endless_head_ = false;
  std::string origin_;  // of the hop under way
  ResponseHead head_;
  size_t n_head_bytes_ = 0;
  size_t n_unread_bytes_ = 0;
  Clock::time_point last_byte_ = Clock::now();
};

/// scheme://host:port as libcurl itself will understand the URL; empty where it does not.
[[nodiscard]] std::string origin_of(const CurlLibrary& curl, const std::string& url);

}  // namespace forge::hub
