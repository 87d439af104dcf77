#include "forge/hub/fault.h"

#include <fmt/format.h>

namespace forge::hub {
namespace {

std::string how_to_log_in() {
  return "make a token at https://huggingface.co/settings/tokens and set HF_TOKEN to it";
}

std::string describe_refusal(const Fault& fault, const std::string& what, const Wanted& wanted,
                             const Settings& settings) {
  const std::string page = fmt::format("{}/{}", settings.endpoint, wanted.repo);
  if (fault.code == "GatedRepo") {
    if (fault.sent_token) {
      return fmt::format(
          "{}: gated, and the account of the token ({}) has no access yet: ask for "
          "it at {}, then try again",
          what, settings.token_origin, page);
    }
    return fmt::format("{}: gated: ask for access at {}, {}, then try again", what, page,
                       how_to_log_in());
  }
  if (fault.detail == "Access to this resource is disabled.") {
    return fmt::format("{}: disabled by the Hub ({})", what, page);
  }
  if (fault.sent_token && fault.detail.starts_with("Invalid credentials")) {
    return fmt::format("{}: the Hub does not know the token of {}: {}", what, settings.token_origin,
                       how_to_log_in());
  }
  if (fault.code == "RepoNotFound" || (fault.status == 401 && fault.code.empty())) {
    return fmt::format(
        "{}: no such model at {}, or a private one: check the name{}", what, settings.endpoint,
        fault.sent_token
            ? fmt::format(", and that the token ({}) may read it", settings.token_origin)
            : fmt::format("; for a private one {}", how_to_log_in()));
  }
  return fmt::format(
      "{}: {} refuses it (HTTP {}{}{}): the token needs the right to read it{}", what, fault.host,
      fault.status, fault.detail.empty() ? "" : ", ", fault.detail,
      fault.sent_token ? fmt::format(" ({})", settings.token_origin) : "; " + how_to_log_in());
}

std::string describe_status(const Fault& fault, const std::string& what, const Wanted& wanted,
                            const Settings& settings) {
  if (fault.code == "RevisionNotFound") {
    return fmt::format("{}: no revision \"{}\": its branches and tags are at {}/{}/tree/main",
                       wanted.repo, wanted.revision, settings.endpoint, wanted.repo);
  }
  if (fault.code == "EntryNotFound") {
    return fmt::format("{}: the repository lists it but does not have it: try again later", what);
  }
  if (fault.status == 401 || fault.status == 403 || fault.code == "RepoNotFound" ||
      fault.code == "GatedRepo") {
    return describe_refusal(fault, what, wanted, settings);
  }
  if (fault.status == 429) {
    const std::string when =
        fault.retry_after_s < 0 ? "later" : fmt::format("in {:.0f} s", fault.retry_after_s);
    return fmt::format("{}: too many requests to {}: try again {}{}", what, fault.host, when,
                       fault.sent_token ? "" : ", or set HF_TOKEN, which raises the limit");
  }
  if (fault.status == 404 || fault.status == 410) {
    return fmt::format("{}: not found at {}: check the name, or HF_ENDPOINT if that is set", what,
                       fault.host);
  }
  if (fault.status >= 500) {
    return fmt::format("{}: {} has a problem of its own (HTTP {}): try again later", what,
                       fault.host, fault.status);
  }
  return fmt::format("{}: {} answered with HTTP {}{}{}", what, fault.host, fault.status,
                     fault.detail.empty() ? "" : ": ", fault.detail);
}

}  // namespace

bool Fault::may_pass() const {
  switch (kind) {
    case Kind::kNoHost:
    case Kind::kRefused:
    case Kind::kTimeout:
    case Kind::kStalled:
    case Kind::kCut:
      return true;
    case Kind::kStatus:
      return status == 408 || status == 429 || status >= 500;
    default:
      return false;
  }
}

std::string Fault::brief() const {
  switch (kind) {
    case Kind::kNone:
      return "done";
    case Kind::kNoHost:
      return fmt::format("{}: no such host, or no network", host);
    case Kind::kRefused:
      return fmt::format("{} does not answer", host);
    case Kind::kTimeout:
      return fmt::format("{}: no connection in time", host);
    case Kind::kStalled:
      return fmt::format("no data from {}", host);
    case Kind::kCut:
      return "connection lost";
    case Kind::kTls:
      return "TLS failed";
    case Kind::kStatus:
      if (status == 429) return fmt::format("too many requests to {}", host);
      return fmt::format("HTTP {} from {}", status, host);
    case Kind::kRedirect:
    case Kind::kProtocol:
    case Kind::kStopped:
      break;
  }
  return fmt::format("{} {}", host, detail);
}

std::string describe(const Fault& fault, const Wanted& wanted, const Settings& settings) {
  const std::string what = wanted.file.empty() ? std::string(wanted.repo)
                                               : fmt::format("{}: {}", wanted.repo, wanted.file);
  const std::string_view online =
      "check the network and the proxy (https_proxy), or use --offline for what is in the cache";
  switch (fault.kind) {
    case Fault::Kind::kNoHost:
      return fmt::format("{}: cannot find the host {}: {}", what, fault.host, online);
    case Fault::Kind::kRefused:
      return fmt::format("{}: cannot connect to {}: {}", what, fault.host, online);
    case Fault::Kind::kTimeout:
      return fmt::format("{}: no connection to {} within {} s: {}", what, fault.host,
                         settings.connect_timeout.count() / 1000, online);
    case Fault::Kind::kStalled:
      return fmt::format(
          "{}: no data from {} for {} s: try again, or raise "
          "HF_HUB_DOWNLOAD_TIMEOUT",
          what, fault.host, settings.stall_timeout.count() / 1000);
    case Fault::Kind::kCut:
      return fmt::format("{}: the connection to {} was lost ({}): try again", what, fault.host,
                         fault.detail);
    case Fault::Kind::kTls:
      return fmt::format(
          "{}: no trusted connection to {}: {}: install ca-certificates, or name "
          "your authorities' file in SSL_CERT_FILE",
          what, fault.host, fault.detail);
    case Fault::Kind::kStatus:
      return describe_status(fault, what, wanted, settings);
    default:
      return fmt::format("{}: {} {}: try again later, and without a proxy or a mirror", what,
                         fault.host, fault.detail);
  }
}

}  // namespace forge::hub
