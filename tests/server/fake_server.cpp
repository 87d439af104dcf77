// Starts tests/server/fake_server.py with the system's Python, which needs no packages for it.
#include "tests/server/fake_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>

#include "forge/base/check.h"
#include "forge/server/client/http_connection.h"
#include "tests/python_test.h"

namespace forge::server::client {

FakeServer::FakeServer(const std::vector<std::string>& certificate_and_key) {
  if (!has_python()) return;
  std::vector<std::string> command = {"/usr/bin/env", "python3", "-B",
                                      FORGE_SOURCE_DIR "/tests/server/fake_server.py"};
  command.insert(command.end(), certificate_and_key.begin(), certificate_and_key.end());
  auto server = ChildServer::start(command, [](std::string_view) {});
  FORGE_CHECK(server.ok(), "{}", server.error().message);
  server_ = std::move(server).value();
  url_ = server_->url();
}

std::string FakeServer::get(const std::string& path) const {
  const auto url = parse_url(this->url());
  FORGE_CHECK(url.ok(), "{}", url.error().message);
  auto target = HttpTarget::find(*url, "");
  FORGE_CHECK(target.ok(), "{}", target.error().message);
  boost::asio::io_context context{1};
  HttpConnection connection(context.get_executor(), *target);
  const HttpRequest request{
      .method = boost::beast::http::verb::get,
      .path = path,
      .body = "",
      .deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30)};
  std::string body;
  const auto on_body = [&body](unsigned, std::string_view bytes) { body += bytes; };
  auto reply =
      boost::asio::co_spawn(context, connection.send(request, on_body), boost::asio::use_future);
  context.run();
  FORGE_CHECK(!reply.get().error, "GET {} of the fake server", path);
  return body;
}

}  // namespace forge::server::client
