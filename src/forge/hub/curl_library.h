// libcurl, opened when something is first downloaded: the program starts without it.
#pragma once

#include <curl/curl.h>

#include "forge/base/result.h"

namespace forge::hub {

/// The functions of libcurl.so.4, or of its twin that is built with GnuTLS. One per process, never
/// closed. (Debian's static libcurl is no way: its own dependencies have no static versions.)
struct CurlLibrary {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
  decltype(&::curl_url) url;
  decltype(&::curl_url_set) url_set;
  decltype(&::curl_url_get) url_get;
  decltype(&::curl_url_cleanup) url_cleanup;
  decltype(&::curl_free) free;

  /// Fails where neither library is installed, or it is too old, saying which package has it.
  [[nodiscard]] static Result<const CurlLibrary*> get();
};

}  // namespace forge::hub
