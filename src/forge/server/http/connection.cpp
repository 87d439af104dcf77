#include "forge/server/http/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "forge/server/http/error_reply.h"
#include "forge/server/http/request_id.h"

namespace forge::server::http {
namespace {

// How far a client may run ahead of its answers.
constexpr size_t kReadAheadBytes = 64 << 10;
// How long a client that is told to go may take to hear it. Closing at once while its bytes are
// still coming would reset the connection, and the client would never read the answer.
constexpr std::chrono::milliseconds kLinger{1000};
// While draining: how long a client that has just connected may take to send its request.
constexpr std::chrono::milliseconds kFirstRequestGrace{1000};

std::string name_of_peer(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  asio::ip::address address = endpoint.address();
  if (address.is_v4()) return fmt::format("{}:{}", address.to_string(), endpoint.port());
  if (address.to_v6().is_v4_mapped()) {
    const auto v4 = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return fmt::format("{}:{}", v4.to_string(), endpoint.port());
  }
  return fmt::format("[{}]:{}", address.to_string(), endpoint.port());
}

}  // namespace

Connection::Connection(Service& service, IoThread& home, asio::ip::tcp::socket socket,
                       asio::ssl::context* tls, Welcome welcome)
    : service_(service),
      home_(home),
      welcome_(welcome),
      peer_(name_of_peer(socket)),
      is_tls_(tls != nullptr),
      transport_(make_transport(std::move(socket), tls)),
      input_(*transport_, home.context().get_executor(),
             kReadAheadBytes + static_cast<size_t>(service.options.max_header_bytes)),
      output_(*transport_, home.context().get_executor(), service.options.write_timeout),
      deadline_(home.context().get_executor(), [this] { shut(); }) {
  service_.connections.add();
  if (welcome_ == Welcome::kServe) ++service_.n_served;
  if (service_.options.on_connection_open) service_.options.on_connection_open();
}

Connection::~Connection() {
  home_.remove(this);
  if (service_.options.on_connection_closed) service_.options.on_connection_closed();
  if (welcome_ == Welcome::kServe) --service_.n_served;
  service_.connections.remove();
}

void Connection::start() {
  home_.add(this);
  spawn(run(shared_from_this()));
}

void Connection::spawn(asio::awaitable<void> coroutine) {
  asio::co_spawn(
      home_.context(), std::move(coroutine),
      [self = shared_from_this()](std::exception_ptr thrown) {
        if (!thrown) return;
        self->abort();
        try {
          std::rethrow_exception(thrown);
        } catch (const std::exception& exception) {
          self->service_.report(fmt::format("connection of {}: {}", self->peer_, exception.what()));
        }
      });
}

void Connection::abort() {
  output_.abort();
  input_.end();
}

asio::awaitable<void> Connection::read(std::shared_ptr<Connection> self) {
  co_await self->input_.run();
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  const bool is_open = co_await self->shake_hands();
  if (!is_open) co_return;
  self->spawn(read(self));
  if (self->welcome_ == Welcome::kTurnAway) {
    co_await self->turn_away();
  } else {
    const ServerOptions& options = self->service_.options;
    Clock::time_point header_due = self->start_ + options.header_timeout;
    bool has_next = co_await self->wait_for_request(First::kYes, header_due);
    while (has_next) {
      has_next = co_await self->serve_request(header_due);
      if (!has_next) break;
      has_next = co_await self->wait_for_request(First::kNo, Clock::now() + options.idle_timeout);
      header_due = Clock::now() + options.header_timeout;
    }
  }
  co_await self->close();
}

asio::awaitable<bool> Connection::shake_hands() {
  // A handshake costs more than a server that is full should spend.
  const bool is_hopeless = is_tls_ && welcome_ == Welcome::kTurnAway;
  if (is_hopeless || service_.phase == Phase::kStopping) {
    abort();
    co_return false;
  }
  deadline_.arm(start_ + service_.options.header_timeout);
  const auto error = co_await transport_->handshake();
  deadline_.disarm();
  if (error) abort();
  co_return !error;
}

asio::awaitable<void> Connection::turn_away() {
  leaves_unread_ = true;
  Request request;
  request.id = choose_request_id({});
  ConnectionResponse response(service_, request, AnswerFrame{}, output_);
  Reply reply = error_reply(503, "server_error", "Too many connections; try again later.", {},
                            "too_many_connections");
  reply.headers.emplace_back("Retry-After", "1");
  co_await response.send(std::move(reply));
}

asio::awaitable<bool> Connection::wait_for_request(First first, Clock::time_point deadline) {
  bool was_serving = true;
  while (input_.unread().empty()) {
    if (was_serving && !service_.is_serving()) {
      if (first == First::kNo || service_.phase == Phase::kStopping) co_return false;
      deadline = std::min(deadline, Clock::now() + kFirstRequestGrace);
      was_serving = false;
    }
    const Input::Wait wait = co_await input_.wait_for_more(deadline);
    if (wait == Input::Wait::kEnd || wait == Input::Wait::kTimeout) co_return false;
  }
  co_return true;
}

asio::awaitable<void> Connection::close() {
  if (!input_.has_ended() && !output_.is_broken()) {
    deadline_.arm(kLinger);
    co_await transport_->end_sending();
    const bool lingers = leaves_unread_ || !input_.unread().empty();
    while (lingers && !input_.has_ended()) {
      input_.take(input_.unread().size());
      (void)co_await input_.wait_for_more(Clock::time_point::max());
    }
    deadline_.disarm();
  }
  shut();
}

void Connection::shut() {
  transport_->close();
  input_.end();
}

}  // namespace forge::server::http
