#include "forge/server/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace forge::server::http {

Result<std::unique_ptr<boost::asio::ssl::context>> load_tls_context(
    const std::string& certificate_path, const std::string& key_path) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const handle = context->native_handle();
  SSL_CTX_set_min_proto_version(handle, TLS1_2_VERSION);
  // A renegotiation costs the server far more than the client, and no client of an API needs one.
  SSL_CTX_set_options(handle, SSL_OP_NO_RENEGOTIATION);

  boost::system::error_code error;
  context->use_certificate_chain_file(certificate_path, error);
  if (error) {
    return make_error("{}: no certificate chain in PEM: {}", certificate_path, error.message());
  }
  // Without this OpenSSL would ask for a passphrase on the terminal.
  SSL_CTX_set_default_passwd_cb(handle, [](char*, int, int, void*) { return -1; });
  context->use_private_key_file(key_path, ssl::context::pem, error);
  if (error) {
    return make_error("{}: no private key in PEM of the certificate {} without passphrase: {}",
                      key_path, certificate_path, error.message());
  }
  if (SSL_CTX_check_private_key(handle) != 1) {
    ERR_clear_error();
    return make_error("{}: the key is not that of the certificate {}", key_path, certificate_path);
  }
  return context;
}

}  // namespace forge::server::http
