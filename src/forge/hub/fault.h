// What can become of a request, and how it is said.
#pragma once

#include <string>
#include <string_view>

#include "forge/hub/settings.h"

namespace forge::hub {

/// Why a request has no answer, or none that helps.
struct Fault {
  enum class Kind {
    kNone,
    kNoHost,    // its name means nothing: no network, or no such host
    kRefused,   // nobody answers there
    kTimeout,   // no connection in time
    kStalled,   // no byte for too long
    kCut,       // the connection ended early
    kTls,       // the certificate is not one we trust, or TLS cannot be spoken
    kStatus,    // HTTP said no: status, code and detail have it
    kRedirect,  // to where we do not go
    kProtocol,  // the answer makes no sense
    kStopped,   // by the receiver
  };
  Kind kind = Kind::kNone;
  int status = 0;
  std::string code = {};      // x-error-code: "GatedRepo", "RepoNotFound", ...
  std::string detail = {};    // what libcurl or the server says of it
  std::string host = {};      // that was asked
  double retry_after_s = -1;  // what the server asks for; negative: nothing
  bool sent_token = false;

  [[nodiscard]] bool ok() const { return kind == Kind::kNone; }
  /// Whether the same request may work later.
  [[nodiscard]] bool may_pass() const;
  /// A few words: "connection cut", "HTTP 503".
  [[nodiscard]] std::string brief() const;
};

/// What was asked for when a fault came.
struct Wanted {
  std::string_view repo;
  std::string_view revision;
  std::string_view file;  // empty: the list of files
};

/// One line for a person: what, where, and what to do.
[[nodiscard]] std::string describe(const Fault& fault, const Wanted& wanted,
                                   const Settings& settings);

}  // namespace forge::hub
