#include "forge/server/http/output.h"

namespace forge::server::http {

asio::awaitable<bool> Output::write(std::string_view bytes) {
  if (is_broken_) co_return false;
  deadline_.arm(timeout_);
  const boost::system::error_code error = co_await transport_.write(bytes);
  deadline_.disarm();
  if (error && !is_broken_) abort();
  co_return !is_broken_;
}

}  // namespace forge::server::http
