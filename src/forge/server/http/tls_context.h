// The server's certificate and what kinds of TLS it speaks.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "forge/base/result.h"

namespace forge::server::http {

/// A context of TLS 1.2 and 1.3 with a certificate chain and its private key, both PEM files.
/// Fails, naming the file, where one cannot be read, is no such thing, or the key is of another
/// certificate or needs a passphrase.
[[nodiscard]] Result<std::unique_ptr<boost::asio::ssl::context>> load_tls_context(
    const std::string& certificate_path, const std::string& key_path);

}  // namespace forge::server::http
