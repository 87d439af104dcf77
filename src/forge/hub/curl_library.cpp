#include "forge/hub/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace forge::hub {
namespace {

/// Looks names up until one is missing.
class Symbols {
 public:
  explicit Symbols(void* library) : library_(library) {}

  template <typename Function>
  void find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(::dlsym(library_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  [[nodiscard]] const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

Result<CurlLibrary> open_library() {
  void* library = nullptr;
  for (const char* name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) {
    return make_error(
        "downloads need libcurl, which is not installed: apt-get install libcurl4 ca-certificates "
        "(Fedora: libcurl, Alpine: libcurl), or fetch the model elsewhere and give its folder");
  }
  CurlLibrary curl{};
  Symbols symbols(library);
  symbols.find(curl.global_init, "curl_global_init");
  symbols.find(curl.easy_init, "curl_easy_init");
  symbols.find(curl.easy_setopt, "curl_easy_setopt");
  symbols.find(curl.easy_getinfo, "curl_easy_getinfo");
  symbols.find(curl.easy_cleanup, "curl_easy_cleanup");
  symbols.find(curl.easy_strerror, "curl_easy_strerror");
  symbols.find(curl.multi_init, "curl_multi_init");
  symbols.find(curl.multi_cleanup, "curl_multi_cleanup");
  symbols.find(curl.multi_add_handle, "curl_multi_add_handle");
  symbols.find(curl.multi_remove_handle, "curl_multi_remove_handle");
  symbols.find(curl.multi_perform, "curl_multi_perform");
  symbols.find(curl.multi_poll, "curl_multi_poll");  // 7.66, of 2019: the youngest of them
  symbols.find(curl.multi_info_read, "curl_multi_info_read");
  symbols.find(curl.slist_append, "curl_slist_append");
  symbols.find(curl.slist_free_all, "curl_slist_free_all");
  symbols.find(curl.url, "curl_url");
  symbols.find(curl.url_set, "curl_url_set");
  symbols.find(curl.url_get, "curl_url_get");
  symbols.find(curl.url_cleanup, "curl_url_cleanup");
  symbols.find(curl.free, "curl_free");
  if (!symbols.missing().empty()) {
    return make_error("the installed libcurl has no {}: expected version 7.66 or newer",
                      symbols.missing());
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return make_error("libcurl could not be started");
  }
  return curl;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::get() {
  static const Result<CurlLibrary> library = open_library();
  if (!library.ok()) return library.error();
  return &*library;
}

}  // namespace forge::hub
