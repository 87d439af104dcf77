// One streamed completion over a connection, measured.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "forge/server/client/call_record.h"
#include "forge/server/client/http_connection.h"

namespace forge::server::client {

/// Sends the request and notes in the record what comes back and when, in seconds since zero, as it
/// comes; the caller has set record.start. Everything that is not a whole stream with status 200 is
/// an error of the record.
[[nodiscard]] boost::asio::awaitable<void> measure_call(HttpConnection& connection,
                                                        const HttpRequest& request,
                                                        std::chrono::steady_clock::time_point zero,
                                                        CallRecord& record);

}  // namespace forge::server::client
