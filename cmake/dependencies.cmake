# Every dependency is a Debian 12 package; docs/dependencies.md has one line on each.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/document.h REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
# Headers only: the library is opened when something is first downloaded.
find_path(CURL_INCLUDE_DIR curl/curl.h REQUIRED)
# Headers: Asio and Beast.
find_package(Boost 1.81 REQUIRED)

# Static archives, so that the one binary runs on a machine without these packages.
find_library(PCRE2_LIBRARY NAMES libpcre2-8.a REQUIRED)
find_library(UTF8PROC_LIBRARY NAMES libutf8proc.a REQUIRED)
find_library(SSL_LIBRARY NAMES libssl.a REQUIRED)
find_library(CRYPTO_LIBRARY NAMES libcrypto.a REQUIRED)
# Line editing, with what it stands on.
find_path(EDIT_INCLUDE_DIR histedit.h REQUIRED)
foreach(name edit tinfo bsd md)
  string(TOUPPER ${name} upper)
  find_library(${upper}_LIBRARY NAMES lib${name}.a REQUIRED)
endforeach()

if(FORGE_BUILD_TESTS OR FORGE_BUILD_FUZZERS)
  find_package(GTest REQUIRED)
endif()
