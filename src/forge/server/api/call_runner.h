// Runs one API call: its requests through the engine, their news into the answer, the answer to the
// client.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "forge/engine.h"
#include "forge/server/http/response.h"
#include "forge/server/metrics/server_metrics.h"
#include "forge/server/openai/answer.h"

namespace forge::server {

namespace asio = boost::asio;

/// Submits all requests of the call, or none, and answers. A client that goes away ends its
/// requests at the engine's next step; one that reads slowly holds up nobody but itself.
asio::awaitable<void> run_call(Engine& engine, openai::Call call, http::Response& response,
                               ServerMetrics& metrics);

/// An error as an answer of its own.
asio::awaitable<void> send_error(http::Response& response, openai::ApiError error);

}  // namespace forge::server
