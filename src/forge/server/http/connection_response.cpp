#include "forge/server/http/connection_response.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "forge/base/check.h"
#include "forge/server/http/response_head.h"

namespace forge::server::http {

ConnectionResponse::ConnectionResponse(const Service& service, const Request& request,
                                       AnswerFrame frame, Output& output)
    : service_(service), request_(request), frame_(frame), output_(output) {}

std::string ConnectionResponse::make_head(int status, const std::string& content_type,
                                          const Headers& own, std::optional<size_t> length) {
  const bool is_chunked = !length && !frame_.is_http_1_0;
  // Whether the end of the answer can be told without closing the connection.
  const bool is_delimited = length || is_chunked;
  keeps_alive_ = frame_.may_keep_alive && is_delimited && service_.is_serving();

  Headers headers;
  headers.emplace_back("Date", http_date(std::chrono::system_clock::now()));
  headers.emplace_back("X-Request-Id", request_.id);
  const bool has_content = status != 204 && status != 304;
  if (has_content) {
    headers.emplace_back("Content-Type", content_type);
    if (length) headers.emplace_back("Content-Length", std::to_string(*length));
    if (is_chunked) headers.emplace_back("Transfer-Encoding", "chunked");
  }
  if (!keeps_alive_) {
    headers.emplace_back("Connection", "close");
  } else if (frame_.is_http_1_0) {
    headers.emplace_back("Connection", "keep-alive");
  }
  Headers cors = service_.cors.answer_headers(request_);
  headers.insert(headers.end(), std::make_move_iterator(cors.begin()),
                 std::make_move_iterator(cors.end()));
  headers.insert(headers.end(), own.begin(), own.end());
  status_ = status;
  return response_head(frame_.is_http_1_0 ? 0 : 1, status, headers);
}

asio::awaitable<void> ConnectionResponse::send(Reply reply) {
  FORGE_CHECK(stage_ == Stage::kNone, "a second answer to request {}", request_.id);
  stage_ = Stage::kDone;
  const bool has_content = reply.status != 204 && reply.status != 304;
  std::string text = make_head(reply.status, reply.content_type, reply.headers, reply.body.size());
  if (has_content && !frame_.is_head) {
    text += reply.body;
    body_bytes_ = static_cast<int64_t>(reply.body.size());
  }
  (void)co_await output_.write(text);
}

asio::awaitable<bool> ConnectionResponse::begin_stream(int status, std::string content_type,
                                                       Headers headers) {
  FORGE_CHECK(stage_ == Stage::kNone, "a second answer to request {}", request_.id);
  stage_ = Stage::kStreaming;
  const std::string head = make_head(status, content_type, headers, std::nullopt);
  (void)co_await output_.write(head);
  co_return !is_disconnected();
}

asio::awaitable<bool> ConnectionResponse::write(std::string_view chunk) {
  FORGE_CHECK(stage_ == Stage::kStreaming, "write() outside the stream of request {}", request_.id);
  if (is_disconnected()) co_return false;
  // A chunk of no bytes would be the end of the stream.
  if (chunk.empty() || frame_.is_head) co_return true;
  body_bytes_ += static_cast<int64_t>(chunk.size());
  if (!frame_.is_http_1_0) {
    piece_.clear();
    fmt::format_to(std::back_inserter(piece_), "{:x}\r\n", chunk.size());
    piece_ += chunk;
    piece_ += "\r\n";
    chunk = piece_;
  }
  (void)co_await output_.write(chunk);
  co_return !is_disconnected();
}

asio::awaitable<void> ConnectionResponse::end_stream() {
  FORGE_CHECK(stage_ == Stage::kStreaming, "end_stream() outside the stream of request {}",
              request_.id);
  stage_ = Stage::kDone;
  if (!frame_.is_http_1_0 && !frame_.is_head) (void)co_await output_.write("0\r\n\r\n");
}

void ConnectionResponse::on_disconnect(std::function<void()> f) {
  if (is_disconnected()) {
    f();
  } else {
    on_disconnect_ = std::move(f);
  }
}

void ConnectionResponse::disconnect() {
  if (std::exchange(is_disconnected_, true)) return;
  // The function may replace itself.
  if (auto f = std::move(on_disconnect_)) f();
}

void ConnectionResponse::note(std::string key, LogValue value) {
  notes_.emplace_back(std::move(key), std::move(value));
}

void ConnectionResponse::describe(AccessRecord& record) const {
  constexpr int kClientClosedRequest = 499;  // as nginx logs it
  record.status = is_begun() ? status_ : kClientClosedRequest;
  record.body_bytes = body_bytes_;
  record.is_cut = !is_complete();
  record.notes = notes_;
}

}  // namespace forge::server::http
