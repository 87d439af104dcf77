#include "tests/server/test_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "tests/eventually.h"

namespace forge::server::http {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Reads the chunks at the front of `rest`. False while they have not come to their end.
bool take_chunks(std::string_view& rest, Answer& answer) {
  while (true) {
    const size_t line_end = rest.find("\r\n");
    if (line_end == std::string_view::npos) return false;
    const size_t length = std::stoul(std::string(rest.substr(0, line_end)), nullptr, 16);
    if (rest.size() < line_end + 2 + length + 2) return false;
    answer.body += rest.substr(line_end + 2, length);
    rest.remove_prefix(line_end + 2 + length + 2);
    if (length == 0) return true;
    ++answer.n_chunks;
  }
}

}  // namespace

std::optional<Answer> take_answer(std::string& bytes, bool is_head, bool at_end) {
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) return std::nullopt;
  Answer answer;
  std::string_view rest = bytes;
  std::string_view head = rest.substr(0, head_end + 2);
  rest.remove_prefix(head_end + 4);
  answer.version = head.substr(0, head.find(' '));
  answer.status = std::stoi(std::string(head.substr(head.find(' ') + 1, 3)));
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const size_t colon = line.find(": ");
    answer.headers[lower(std::string(line.substr(0, colon)))] = line.substr(colon + 2);
    head.remove_prefix(line.size() + 2);
  }
  const bool has_body = !is_head && answer.status >= 200 && answer.status != 204;
  answer.is_whole = true;
  if (!has_body) {
  } else if (answer.header("transfer-encoding") == "chunked") {
    answer.is_whole = take_chunks(rest, answer);
  } else if (!answer.header("content-length").empty()) {
    const size_t length = std::stoul(answer.header("content-length"));
    answer.is_whole = rest.size() >= length;
    answer.body = rest.substr(0, length);
    rest.remove_prefix(answer.body.size());
  } else {
    answer.is_whole = at_end;
    answer.body = rest;
    rest = {};
  }
  if (!answer.is_whole && !at_end) return std::nullopt;
  bytes.erase(0, bytes.size() - rest.size());
  return answer;
}

TestClient::TestClient(uint16_t port, int receive_buffer_bytes)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  const timeval limit{kPatience.count(), 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) close();
}

TestClient::~TestClient() { close(); }

TestClient::TestClient(TestClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool TestClient::receive() {
  std::array<char, 16 << 10> chunk;
  const ssize_t n = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (n <= 0) return false;
  buffer_.append(chunk.data(), static_cast<size_t>(n));
  return true;
}

Answer TestClient::read_answer(bool is_head) {
  while (true) {
    if (auto answer = take_answer(buffer_, is_head, false)) return *answer;
    if (!receive()) return take_answer(buffer_, is_head, true).value_or(Answer{});
  }
}

std::string TestClient::read_until(std::string_view mark) {
  size_t found;
  while ((found = buffer_.find(mark)) == std::string::npos) {
    if (!receive()) return std::exchange(buffer_, {});
  }
  std::string text = buffer_.substr(0, found + mark.size());
  buffer_.erase(0, text.size());
  return text;
}

bool TestClient::sees_close(std::chrono::milliseconds within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(std::max<int64_t>(left.count(), 0))) <= 0) return false;
    if (!receive()) return true;
  }
}

void TestClient::end_sending() { ::shutdown(fd_, SHUT_WR); }

void TestClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void TestClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

Answer TestClient::ask(std::string_view bytes, bool is_head) {
  if (!send(bytes)) return {};
  return read_answer(is_head);
}

std::string get(std::string_view path, std::string_view lines) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, lines);
}

std::string post(std::string_view path, std::string_view body, std::string_view lines) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}\r\n{}", path,
                     body.size(), lines, body);
}

}  // namespace forge::server::http
