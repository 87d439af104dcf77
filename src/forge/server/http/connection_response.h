// The Response that handlers get: frames an answer and hands it to the connection's output.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "forge/server/http/access_log.h"
#include "forge/server/http/output.h"
#include "forge/server/http/response.h"
#include "forge/server/http/service.h"

namespace forge::server::http {

/// What of the request shapes the framing of its answer.
struct AnswerFrame {
  bool is_head = false;         // no body
  bool is_http_1_0 = false;     // no chunks; keep-alive is said, not assumed
  bool may_keep_alive = false;  // asked for, and the request was read to its end
};

/// One answer. The connection calls the functions that are not Response's.
class ConnectionResponse final : public Response {
 public:
  ConnectionResponse(const Service& service, const Request& request, AnswerFrame frame,
                     Output& output);

  asio::awaitable<void> send(Reply reply) override;
  asio::awaitable<bool> begin_stream(int status, std::string content_type,
                                     Headers headers) override;
  asio::awaitable<bool> write(std::string_view chunk) override;
  asio::awaitable<void> end_stream() override;
  void on_disconnect(std::function<void()> f) override;
  [[nodiscard]] bool is_disconnected() const override {
    return is_disconnected_ || output_.is_broken();
  }
  void note(std::string key, LogValue value) override;

  /// The client is gone.
  void disconnect();
  /// Whether an answer was begun, and whether it got to its end.
  [[nodiscard]] bool is_begun() const { return stage_ != Stage::kNone; }
  [[nodiscard]] bool is_complete() const { return stage_ == Stage::kDone && !output_.is_broken(); }
  /// Whether the next request may follow on this connection.
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_ && is_complete(); }

  /// Fills in what the answer's part of the log is.
  void describe(AccessRecord& record) const;

 private:
  enum class Stage { kNone, kStreaming, kDone };

  [[nodiscard]] std::string make_head(int status, const std::string& content_type,
                                      const Headers& own, std::optional<size_t> length);

  const Service& service_;
  const Request& request_;
  const AnswerFrame frame_;
  Output& output_;
  Stage stage_ = Stage::kNone;
  bool is_disconnected_ = false;
  bool keeps_alive_ = false;
  std::string piece_;  // a framed chunk, kept for its memory
  std::function<void()> on_disconnect_;
  int status_ = 0;
  int64_t body_bytes_ = 0;
  std::vector<std::pair<std::string, LogValue>> notes_;
};

}  // namespace forge::server::http
