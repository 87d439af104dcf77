// Trusts: fake_server.py, and Python's TLS.
#include "forge/server/client/http_connection.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/python_test.h"
#include "tests/server/fake_server.h"
#include "tests/server/tls_client.h"

namespace forge::server::client {
namespace {

constexpr std::chrono::seconds kBound{30};

struct Answer {
  HttpReply reply;
  std::string body;
};

/// One connection, asked from a plain function.
class Asker {
 public:
  explicit Asker(const std::string& url)
      : target_(HttpTarget::find(*parse_url(url), "secret").value()),
        connection_(context_.get_executor(), target_) {}

  Answer ask(HttpRequest request) {
    request.deadline = std::chrono::steady_clock::now() + kBound;
    Answer answer;
    const auto on_body = [&answer](unsigned, std::string_view bytes) { answer.body += bytes; };
    auto reply = boost::asio::co_spawn(context_, connection_.send(request, on_body),
                                       boost::asio::use_future);
    context_.restart();
    context_.run();
    answer.reply = reply.get();
    return answer;
  }

 private:
  boost::asio::io_context context_{1};
  HttpTarget target_;
  HttpConnection connection_;
};

HttpRequest get(const std::string& path) {
  return {.method = boost::beast::http::verb::get, .path = path, .body = "", .deadline = {}};
}

HttpRequest completion(const std::string& manner) {
  return {.path = "/completions",
          .body = R"({"model":")" + manner + R"(","prompt":"a","max_tokens":2})",
          .deadline = {}};
}

class HttpConnectionTest : public PythonTest {};

TEST_F(HttpConnectionTest, CarriesOneRequestAfterTheOther) {
  const FakeServer server;
  Asker asker(server.url());
  for (int i = 0; i < 3; ++i) {
    const Answer models = asker.ask(get("/models"));
    EXPECT_EQ(models.reply.status, 200u);
    EXPECT_FALSE(models.reply.error.has_value());
    EXPECT_EQ(models.body, R"({"data": [{"id": "ttft=1"}, {"id": "other"}]})");
    EXPECT_EQ(asker.ask(get("/nothing")).reply.status, 404u);
    const Answer text = asker.ask(completion("usage=no"));
    EXPECT_EQ(text.body.substr(text.body.size() - 14), "data: [DONE]\n\n");
  }
}

TEST_F(HttpConnectionTest, IsMadeAnewWhereTheServerHasClosedIt) {
  const FakeServer server;
  Asker asker(server.url());
  for (int i = 0; i < 3; ++i) {
    const Answer answer = asker.ask(completion("close=yes"));
    EXPECT_EQ(answer.reply.status, 200u);
    EXPECT_FALSE(answer.reply.error.has_value()) << answer.reply.error->message;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // for the end to arrive
  }
}

/// The fake server with a certificate for "localhost" that signs itself.
class TlsServer : public PythonTest {
 protected:
  void TearDown() override { ::unsetenv("SSL_CERT_FILE"); }
  void trust() const { ::setenv("SSL_CERT_FILE", certificate_.cert().c_str(), 1); }

  const http::TestCertificate certificate_;
  const FakeServer server_{{certificate_.cert(), certificate_.key()}};
  const std::string port_ = server_.url().substr(server_.url().rfind(':') + 1);
};

TEST_F(TlsServer, IsReadWhereItsCertificateIsTrusted) {
  trust();
  Asker asker("https://localhost:" + port_);
  for (int i = 0; i < 2; ++i) {
    const Answer answer = asker.ask(get("/models"));
    EXPECT_FALSE(answer.reply.error.has_value()) << answer.reply.error->message;
    EXPECT_EQ(answer.reply.status, 200u);
    EXPECT_EQ(answer.body, R"({"data": [{"id": "ttft=1"}, {"id": "other"}]})");
  }
}

TEST_F(TlsServer, IsRefusedWithoutTrustOrUnderAnotherName) {
  const Answer untrusted = Asker("https://localhost:" + port_).ask(get("/models"));
  ASSERT_TRUE(untrusted.reply.error.has_value());
  EXPECT_EQ(untrusted.reply.error->kind, "TLS");
  trust();
  const Answer other_name = Asker("https://127.0.0.1:" + port_).ask(get("/models"));
  ASSERT_TRUE(other_name.reply.error.has_value());
  EXPECT_EQ(other_name.reply.error->kind, "TLS");
}

}  // namespace
}  // namespace forge::server::client
