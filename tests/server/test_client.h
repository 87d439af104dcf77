// A blocking HTTP client on a raw socket, which sends what it is told, valid or not, and reads
// answers with a parser of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace forge::server::http {

struct Answer {
  int status = 0;
  std::string version;                         // "HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case; the last of its name
  std::string body;                            // of chunks put together
  int n_chunks = 0;
  bool is_whole = false;  // the body came to its end

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// One connection to 127.0.0.1. Reads give up after kPatience, as if the server had closed.
class TestClient {
 public:
  /// receive_buffer_bytes: 0 for the system's own; small ones make a slow reader.
  explicit TestClient(uint16_t port, int receive_buffer_bytes = 0);
  ~TestClient();
  TestClient(TestClient&& other) noexcept;
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  /// Sends all of it. False: the server no longer takes it.
  bool send(std::string_view bytes);
  /// The next answer; status 0 where none came. HEAD answers have no body.
  Answer read_answer(bool is_head = false);
  /// Up to and with this text, or what came before the end.
  std::string read_until(std::string_view mark);
  /// Whether the server closes (or resets) within the time; what comes before is dropped.
  bool sees_close(std::chrono::milliseconds within);

  /// Says that nothing more will be sent.
  void end_sending();
  void close();
  /// Closes with a reset instead of an orderly end.
  void reset();
  [[nodiscard]] int fd() const { return fd_; }

  /// send() and read_answer().
  Answer ask(std::string_view bytes, bool is_head = false);

 private:
  bool receive();  // more bytes into buffer_; false: the end

  int fd_ = -1;
  std::string buffer_;
};

/// "GET path HTTP/1.1" with a Host header and these further lines ("Name: value\r\n").
std::string get(std::string_view path, std::string_view lines = {});
std::string post(std::string_view path, std::string_view body, std::string_view lines = {});

/// Takes one answer off the front of the bytes; nothing while it is not complete. An answer that
/// only the connection's end delimits is complete where at_end.
std::optional<Answer> take_answer(std::string& bytes, bool is_head, bool at_end);

}  // namespace forge::server::http
