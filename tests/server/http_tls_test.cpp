// Trusts: OpenSSL's own client, with a certificate that the test makes.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "tests/eventually.h"
#include "tests/server/test_client.h"
#include "tests/server/test_server.h"
#include "tests/server/tls_client.h"

namespace forge::server::http {
namespace {

using std::chrono::milliseconds;

ServerOptions with_tls(const TestCertificate& certificate) {
  ServerOptions options;
  options.tls_cert = certificate.cert();
  options.tls_key = certificate.key();
  return options;
}

TEST(HttpTls, ServesRequestsAndStreams) {
  const TestCertificate certificate;
  TestServer server(with_tls(certificate));
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsClient client(server.port(), version);
    ASSERT_TRUE(client.is_connected());
    EXPECT_EQ(client.version(), version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    const std::string body(300 << 10, 'b');
    EXPECT_TRUE(client.ask(post("/echo", body)).body == body);
    EXPECT_EQ(client.ask(get("/count")).n_chunks, 5);
    EXPECT_EQ(client.ask(get("/hello", "Connection: close\r\n")).body, "hello");
    EXPECT_TRUE(client.reads_close_notify());
  }
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

TEST(HttpTls, ALastAnswerReachesAReaderSlowerThanTheClose) {
  const TestCertificate certificate;
  TestServer server(with_tls(certificate));
  // Most of the answer lies in the server's socket while the server gives up waiting for a goodbye.
  TlsClient client(server.port(), TLS1_3_VERSION, 4096);
  const std::string body(100 << 10, 'b');
  ASSERT_TRUE(client.send(post("/echo", body, "Connection: close\r\n")));
  ASSERT_TRUE(eventually([&] { return server.seen->lines().size() == 1; }));
  ASSERT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
  EXPECT_TRUE(client.read_answer().body == body);
}

TEST(HttpTls, OldVersionsAreRefused) {
  const TestCertificate certificate;
  TestServer server(with_tls(certificate));
  EXPECT_FALSE(TlsClient(server.port(), TLS1_1_VERSION).is_connected());
  EXPECT_TRUE(TlsClient(server.port()).is_connected());
}

TEST(HttpTls, ADisconnectIsSeenWhileTheHandlerRuns) {
  const TestCertificate certificate;
  TestServer server(with_tls(certificate));
  for (int round = 1; round <= 3; ++round) {
    TlsClient client(server.port());
    ASSERT_TRUE(client.send(get("/wait")));
    ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_begun == round; }));
    EXPECT_EQ(server.seen->n_handlers_done, round - 1);
    if (round == 1) client.say_goodbye();
    if (round == 2) client.tcp().end_sending();
    if (round == 3) client.tcp().reset();
    ASSERT_TRUE(eventually([&] { return server.seen->n_handlers_done == round; }));
    EXPECT_EQ(server.seen->n_disconnects, round);
  }
}

TEST(HttpTls, ASlowReaderIsGivenUp) {
  const TestCertificate certificate;
  ServerOptions options = with_tls(certificate);
  options.write_timeout = milliseconds(200);
  TestServer server(std::move(options));
  TlsClient client(server.port());
  ASSERT_TRUE(client.send(get("/flood")));
  EXPECT_TRUE(eventually([&] { return server.seen->n_handlers_done == 1; }));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

TEST(HttpTls, HandshakesThatGoNowhereEnd) {
  const TestCertificate certificate;
  ServerOptions options = with_tls(certificate);
  options.header_timeout = milliseconds(200);
  TestServer server(std::move(options));
  TestClient silent(server.port());
  TestClient plain(server.port());
  ASSERT_TRUE(plain.send(get("/hello")));
  EXPECT_TRUE(plain.sees_close(kPatience));
  EXPECT_TRUE(silent.sees_close(kPatience));
  EXPECT_TRUE(eventually([&] { return server.server->n_connections() == 0; }));
}

// The limit began anew after the handshake.
TEST(HttpTls, TheHandshakeIsPartOfTheFirstHeadersTime) {
  const TestCertificate certificate;
  ServerOptions options = with_tls(certificate);
  options.header_timeout = milliseconds(2000);
  TestServer server(std::move(options));
  const auto start = std::chrono::steady_clock::now();
  TlsClient client(server.port(), TLS1_3_VERSION, 0, milliseconds(1500));
  ASSERT_TRUE(client.is_connected());
  EXPECT_EQ(client.read_answer().status, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(3500));
}

TEST(HttpTls, DrainingClosesIdleConnections) {
  const TestCertificate certificate;
  TestServer server(with_tls(certificate));
  TlsClient client(server.port());
  ASSERT_EQ(client.ask(get("/hello")).status, 200);
  server.server->drain();
  EXPECT_TRUE(client.reads_close_notify());
  EXPECT_TRUE(server.server->wait_until_idle(kPatience));
}

TEST(HttpTls, BadFilesAreNamed) {
  const TestCertificate certificate;
  const TestCertificate other;
  const auto failure_of = [](std::string cert, std::string key) {
    ServerOptions options;
    options.tls_cert = std::move(cert);
    options.tls_key = std::move(key);
    const auto server = Server::start(std::move(options), Router());
    return server.ok() ? "it started" : server.error().message;
  };
  const std::string missing = certificate.cert() + ".missing";
  EXPECT_TRUE(failure_of(missing, certificate.key()).starts_with(missing + ": "));
  EXPECT_TRUE(failure_of(certificate.cert(), missing).starts_with(missing + ": "));
  EXPECT_TRUE(failure_of(certificate.key(), certificate.key()).starts_with(certificate.key()));
  EXPECT_TRUE(failure_of(certificate.cert(), other.key()).starts_with(other.key() + ": "));
  EXPECT_TRUE(failure_of(certificate.cert(), certificate.locked_key())
                  .starts_with(certificate.locked_key() + ": "));
  EXPECT_NE(failure_of(certificate.cert(), "").find("a certificate and a key"), std::string::npos);
}

}  // namespace
}  // namespace forge::server::http
