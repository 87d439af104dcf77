#include "forge/hub/settings.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string_view>

namespace forge::hub {
namespace {

constexpr size_t kMaxTokenLength = 4096;

struct Variable {
  std::string name;
  std::string value;
};

/// The first of these that is set and not empty; else one with an empty value.
Variable first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return {name, value};
  }
  return {};
}

bool is_true(const std::string& value) {
  std::string upper = value;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return upper == "1" || upper == "ON" || upper == "YES" || upper == "TRUE";
}

std::string home_folder() {
  if (const Variable home = first_of({"HOME"}); !home.value.empty()) return home.value;
  const struct passwd* entry = ::getpwuid(::getuid());  // once, before there are threads
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

std::string with_home(const std::string& path) {
  const bool is_below_home = path == "~" || path.starts_with("~/");
  return is_below_home ? home_folder() + path.substr(1) : path;
}

Result<std::string> hugging_face_home() {
  if (const Variable home = first_of({"HF_HOME"}); !home.value.empty())
    return with_home(home.value);
  if (const Variable cache = first_of({"XDG_CACHE_HOME"}); !cache.value.empty()) {
    return with_home(cache.value) + "/huggingface";
  }
  const std::string home = home_folder();
  if (home.empty()) return make_error("no folder for models: set HOME, HF_HOME or HF_HUB_CACHE");
  return home + "/.cache/huggingface";
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  const size_t end = text.find_last_not_of(kBlank) + 1;
  return std::string(text.substr(begin, std::max(end, begin) - begin));
}

// A token goes into a header, so it must not end one.
Status set_token(Settings& settings, std::string_view text, const std::string& origin) {
  const std::string token = trimmed(text);
  const bool is_plain =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_plain || token.size() > kMaxTokenLength) {
    return make_error("{}: not a token: expected one line like hf_..., without blanks", origin);
  }
  settings.token = token;
  settings.token_origin = token.empty() ? "" : origin;
  return {};
}

Status find_token(Settings& settings, const std::string& home) {
  if (is_true(first_of({"HF_HUB_DISABLE_IMPLICIT_TOKEN"}).value)) return {};
  const Variable token = first_of({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"});
  if (!token.value.empty()) return set_token(settings, token.value, token.name);
  const Variable named = first_of({"HF_TOKEN_PATH"});
  const std::string path = named.value.empty() ? home + "/token" : with_home(named.value);
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  std::string text(kMaxTokenLength + 64, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return set_token(settings, text, path);
}

Status read_seconds(std::initializer_list<const char*> names, std::chrono::milliseconds& timeout) {
  const Variable variable = first_of(names);
  if (variable.value.empty()) return {};
  int64_t seconds = 0;
  const char* end = variable.value.data() + variable.value.size();
  const auto [at, failure] = std::from_chars(variable.value.data(), end, seconds);
  if (failure != std::errc() || at != end || seconds < 1 || seconds > 86'400) {
    return make_error("{}={}: expected whole seconds, 1 to 86400", variable.name, variable.value);
  }
  timeout = std::chrono::seconds(seconds);
  return {};
}

}  // namespace

Result<Settings> settings_from_environment() {
  Settings settings;
  const Variable cache = first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  FORGE_TRY(const std::string home, hugging_face_home());
  settings.cache_folder = cache.value.empty() ? home + "/hub" : with_home(cache.value);
  while (settings.cache_folder.size() > 1 && settings.cache_folder.ends_with('/')) {
    settings.cache_folder.pop_back();
  }
  FORGE_TRY_STATUS(find_token(settings, home));
  if (const Variable endpoint = first_of({"HF_ENDPOINT"}); !endpoint.value.empty()) {
    std::string url = endpoint.value;
    while (url.ends_with('/')) url.pop_back();
    const bool is_plain =
        std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
    if (!is_plain || (!url.starts_with("https://") && !url.starts_with("http://"))) {
      return make_error("HF_ENDPOINT={}: expected an address that begins with https://",
                        endpoint.value);
    }
    settings.endpoint = url;
  }
  settings.is_offline = is_true(first_of({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}).value);
  settings.ca_file = first_of({"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"}).value;
  FORGE_TRY_STATUS(read_seconds({"HF_HUB_ETAG_TIMEOUT"}, settings.connect_timeout));
  FORGE_TRY_STATUS(read_seconds({"HF_HUB_DOWNLOAD_TIMEOUT"}, settings.stall_timeout));
  return settings;
}

}  // namespace forge::hub
