#include "forge/server/client/completion_call.h"

#include <string>
#include <utility>

#include "forge/server/client/sse_parser.h"
#include "forge/server/client/stream_chunk.h"

namespace forge::server::client {
namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kOk = 200;

/// Reads the body of one response into a record.
class ResponseReader {
 public:
  explicit ResponseReader(CallRecord& record) : record_(record) {}

  void read(unsigned status, std::string_view bytes, double now) {
    if (status != kOk) {
      constexpr size_t kMaxErrorBytes = 64 * 1024;
      error_body_ += bytes.substr(0, kMaxErrorBytes - error_body_.size());
      return;
    }
    if (record_.error) return;  // what follows a fault means nothing, and may be endless
    const auto on_event = [this, now](std::string_view data) { read_event(data, now); };
    if (!events_.feed(bytes, on_event)) fail("malformed", "an event without end");
  }

  void finish(const HttpReply& reply) {
    if (reply.status != 0 && reply.status != kOk) {
      fail(fmt::format("HTTP {}", reply.status), error_message(error_body_));
    } else if (reply.error && !is_done_) {
      fail(reply.error->kind, reply.error->message);
    } else if (!is_done_) {
      fail("cut off", "the response ended without [DONE]");
    }
  }

 private:
  void read_event(std::string_view data, double now) {
    Result<StreamChunk> chunk = parse_stream_chunk(data);
    if (!chunk.ok()) return fail("malformed", chunk.error().message);
    if (chunk->error) return fail("error in stream", *chunk->error);
    if (chunk->has_content) record_.content_times.push_back(now);
    if (chunk->usage) record_.usage = chunk->usage;
    is_done_ |= chunk->is_done;
  }

  /// The first failure is the one that counts.
  void fail(std::string kind, std::string message) {
    if (!record_.error) record_.error = CallError{std::move(kind), std::move(message)};
  }

  CallRecord& record_;
  SseParser events_;
  std::string error_body_;
  bool is_done_ = false;
};

}  // namespace

boost::asio::awaitable<void> measure_call(HttpConnection& connection, const HttpRequest& request,
                                          Clock::time_point zero, CallRecord& record) {
  const auto now = [zero] { return std::chrono::duration<double>(Clock::now() - zero).count(); };
  ResponseReader reader(record);
  const auto on_body = [&](unsigned status, std::string_view bytes) {
    reader.read(status, bytes, now());
  };
  const HttpReply reply = co_await connection.send(request, on_body);
  reader.finish(reply);
  record.end = now();
}

}  // namespace forge::server::client
