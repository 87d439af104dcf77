// A TLS client and a certificate, made with OpenSSL, for tests from outside.
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <thread>

#include "tests/server/test_client.h"
#include "tests/temporary_folder.h"

namespace forge::server::http {

/// A self-signed certificate for localhost and its key, as PEM files that go with the object.
class TestCertificate {
 public:
  TestCertificate() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION* other_names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x509, other_names, -1);
    X509_EXTENSION_free(other_names);
    X509_sign(x509, key, EVP_sha256());
    std::FILE* file = std::fopen(cert().c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(this->key().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(locked_key().c_str(), "w");
    PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), "pass", 4, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(key);
  }
  [[nodiscard]] std::string cert() const { return folder_.path("cert.pem"); }
  [[nodiscard]] std::string key() const { return folder_.path("key.pem"); }
  [[nodiscard]] std::string locked_key() const { return folder_.path("locked.pem"); }

 private:
  TemporaryFolder folder_;
};

/// OpenSSL's client on a TestClient's socket.
class TlsClient {
 public:
  /// pause: between the connection and the handshake.
  explicit TlsClient(uint16_t port, int max_version = TLS1_3_VERSION, int receive_buffer_bytes = 0,
                     std::chrono::milliseconds pause = {})
      : tcp_(port, receive_buffer_bytes) {
    context_ = SSL_CTX_new(TLS_client_method());
    // The test's own certificate is good at any strength; old versions must be on offer to be
    // refused.
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, max_version);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, tcp_.fd());
    std::this_thread::sleep_for(pause);
    is_connected_ = SSL_connect(ssl_) == 1;
    ERR_clear_error();
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_); }
  bool send(const std::string& bytes) {
    return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  Answer read_answer() {
    while (true) {
      if (auto answer = take_answer(buffer_, false, false)) return *answer;
      char chunk[16 << 10];
      const int n = SSL_read(ssl_, chunk, sizeof chunk);
      if (n <= 0) return take_answer(buffer_, false, true).value_or(Answer{});
      buffer_.append(chunk, static_cast<size_t>(n));
    }
  }
  Answer ask(const std::string& bytes) { return send(bytes) ? read_answer() : Answer{}; }
  // Whether the server says goodbye in TLS, not only by closing the socket.
  bool reads_close_notify() {
    char byte;
    return SSL_read(ssl_, &byte, 1) == 0 && (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  void say_goodbye() { SSL_shutdown(ssl_); }
  TestClient& tcp() { return tcp_; }

 private:
  TestClient tcp_;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool is_connected_ = false;
  std::string buffer_;
};

}  // namespace forge::server::http
