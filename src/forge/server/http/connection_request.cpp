// One request of a connection: reading it, running its handler, logging it.
#include <fmt/format.h>

#include <exception>
#include <utility>

#include "forge/server/http/admission.h"
#include "forge/server/http/connection.h"
#include "forge/server/http/error_reply.h"
#include "forge/server/http/request_id.h"

namespace forge::server::http {

asio::awaitable<Connection::ReadOutcome> Connection::read_until_done(RequestParser& parser,
                                                                     Parse parse,
                                                                     Clock::time_point deadline) {
  while (true) {
    const RequestParser::Step step = parse(input_.unread());
    input_.take(step.n_taken);
    if (step.state == RequestParser::State::kDone) co_return ReadOutcome{};
    if (step.state == RequestParser::State::kRefused) {
      co_return ReadOutcome{false, parser.refusal()};
    }
    const Input::Wait wait = co_await input_.wait_for_more(deadline);
    switch (wait) {
      case Input::Wait::kMore:
      case Input::Wait::kWoken:
        break;
      case Input::Wait::kEnd:
        co_return ReadOutcome{true, std::nullopt};
      case Input::Wait::kTimeout:
        co_return ReadOutcome{false, error_reply(408, "invalid_request_error",
                                                 "The request took too long to arrive.")};
      case Input::Wait::kFull:
        // Only what Beast wants whole gets here: extensions of a chunk, trailers.
        co_return ReadOutcome{
            false, error_reply(431, "invalid_request_error", "A line of the request is too long.")};
    }
  }
}

asio::awaitable<Connection::ReadOutcome> Connection::read_body(RequestParser& parser,
                                                               int64_t max_body_bytes) {
  if (!parser.has_body()) co_return ReadOutcome{};
  if (parser.expects_continue() && !parser.is_http_1_0() && input_.unread().empty()) {
    const bool is_sent = co_await output_.write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!is_sent) co_return ReadOutcome{true, std::nullopt};
  }
  Parse parse = [&parser, max_body_bytes](std::string_view bytes) {
    return parser.parse_body(bytes, max_body_bytes);
  };
  ReadOutcome outcome = co_await read_until_done(parser, std::move(parse),
                                                 Clock::now() + service_.options.body_timeout);
  co_return outcome;
}

asio::awaitable<bool> Connection::serve_request(Clock::time_point header_due) {
  const auto start = Clock::now();
  AccessRecord record;
  record.time = std::chrono::system_clock::now();
  RequestParser parser(service_.options.max_header_bytes);
  Parse parse = [&parser](std::string_view bytes) { return parser.parse_header(bytes); };
  ReadOutcome outcome = co_await read_until_done(parser, std::move(parse), header_due);
  if (outcome.is_gone) co_return false;

  Request& request = parser.request();
  request.peer = peer_;
  request.id = choose_request_id(request.header("X-Request-Id"));
  bool is_whole = !outcome.refusal && !parser.has_body();
  Admission admission;
  if (!outcome.refusal) {
    admission = admit(request, parser.content_length(), service_);
    outcome.refusal = std::move(admission.answer);
  }
  if (!outcome.refusal) {
    outcome = co_await read_body(parser, admission.max_body_bytes);
    is_whole = !outcome.is_gone && !outcome.refusal;
  }
  leaves_unread_ = !is_whole;

  ConnectionResponse response(service_, request,
                              AnswerFrame{.is_head = request.method == "HEAD",
                                          .is_http_1_0 = parser.is_http_1_0(),
                                          .may_keep_alive = is_whole && parser.wants_keep_alive()},
                              output_);
  if (outcome.refusal) {
    co_await response.send(std::move(*outcome.refusal));
  } else if (!outcome.is_gone) {
    co_await run_handler(admission.route->handler, request, response);
  }
  response.describe(record);
  record.duration = Clock::now() - start;
  if (service_.options.on_answer) {
    service_.options.on_answer(admission.route != nullptr ? admission.route->path : "",
                               record.status);
  }
  if (service_.options.access_log) service_.options.access_log(access_line(request, record));
  co_return response.keeps_alive();
}

asio::awaitable<void> Connection::run_handler(const Handler& handler, const Request& request,
                                              ConnectionResponse& response) {
  input_.on_end([&response] { response.disconnect(); });
  if (input_.has_ended()) response.disconnect();
  std::string fault;
  try {
    co_await handler(request, response);
  } catch (const std::exception& exception) {
    fault = exception.what();
    if (fault.empty()) fault = "an exception without words";
  } catch (...) {
    fault = "an unknown exception";
  }
  input_.on_end({});

  if (fault.empty() && !response.is_begun() && !response.is_disconnected()) {
    fault = "the handler gave no answer";
  }
  if (!fault.empty()) {
    service_.report(
        fmt::format("request {} {} {}: {}", request.id, request.method, request.path, fault));
    response.note("error", fault);
    if (!response.is_begun()) {
      co_await response.send(error_reply(
          500, "server_error", fmt::format("The server failed to answer request {}.", request.id)));
    }
  }
  // A stream without its end: an ordinary close would look like one to HTTP/1.0 clients.
  if (response.is_begun() && !response.is_complete()) abort();
}

}  // namespace forge::server::http
