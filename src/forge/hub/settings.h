// Where the Hub and the cache are, and as whom we ask: what the environment says.
#pragma once

#include <chrono>
#include <string>

#include "forge/base/result.h"

namespace forge::hub {

/// How failures that may pass are met.
struct RetryPolicy {
  int32_t attempts = 6;  // in a row without anything to show for them; then it is an error
  std::chrono::milliseconds first_delay{500};  // doubles each time, plus up to half of it by chance
  std::chrono::milliseconds longest_delay{30'000};
  std::chrono::seconds longest_wanted{300};  // a server that asks for more is not waited for
};

struct Settings {
  std::string cache_folder;                         // holds models--ORG--NAME
  std::string endpoint = "https://huggingface.co";  // without a slash at its end
  std::string token;                                // empty: none
  std::string token_origin;                         // for people: "HF_TOKEN", or the file's path
  bool is_offline = false;
  std::string ca_file;  // certificate authorities (PEM); empty: libcurl's own
  std::string user_agent = "forge";
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{20'000};  // without a byte
  int64_t range_bytes = 16 << 20;  // that one connection gets of a large file at a time
  RetryPolicy retry;
};

/// From HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE,
/// HF_HUB_DOWNLOAD_TIMEOUT, HF_HUB_ETAG_TIMEOUT, HF_HUB_DISABLE_IMPLICIT_TOKEN and the older names
/// of some, with the meanings and defaults that huggingface_hub gives them; SSL_CERT_FILE,
/// CURL_CA_BUNDLE and REQUESTS_CA_BUNDLE, of which the first that is set names the file. (libcurl
/// reads the proxies' variables itself.) Fails where one of them makes no sense.
[[nodiscard]] Result<Settings> settings_from_environment();

}  // namespace forge::hub
