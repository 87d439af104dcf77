// Trusts: RFC 3986's parts of a URL, and what SDKs take as base_url; written out here.
#include "forge/server/client/url.h"

#include <gtest/gtest.h>

namespace forge::server::client {
namespace {

TEST(Url, Parts) {
  struct Case {
    std::string text;
    bool is_tls;
    std::string host;
    int port;
    std::string prefix;
    std::string authority;
  };
  const Case cases[] = {
      {"http://127.0.0.1:8080", false, "127.0.0.1", 8080, "/v1", "127.0.0.1:8080"},
      {"http://localhost", false, "localhost", 80, "/v1", "localhost"},
      {"https://api.example.com/", true, "api.example.com", 443, "/v1", "api.example.com"},
      {"https://example.com:80/a/v2/", true, "example.com", 80, "/a/v2", "example.com:80"},
      {"http://[::1]:65535/v1", false, "::1", 65535, "/v1", "[::1]:65535"},
      {"http://[fe80::1]", false, "fe80::1", 80, "/v1", "[fe80::1]"},
  };
  for (const Case& c : cases) {
    const auto url = parse_url(c.text);
    ASSERT_TRUE(url.ok()) << c.text;
    EXPECT_EQ(url->is_tls, c.is_tls) << c.text;
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->prefix, c.prefix) << c.text;
    EXPECT_EQ(url->authority(), c.authority);
    EXPECT_EQ(parse_url(url->text())->text(), url->text());
  }
}

TEST(Url, WhatIsWrongIsSaid) {
  const std::pair<std::string, std::string> cases[] = {
      {"localhost:8080", "no http:// or https:// at its start"},
      {"ftp://a", "no http:// or https:// at its start"},
      {"http://", "no host"},
      {"http://:80", "no host"},
      {"http://a:0", "no port"},
      {"http://a:65536", "no port"},
      {"http://a:", "no port"},
      {"http://a:8x", "no port"},
      {"http://[::1", "no ]"},
      {"http://[::1]x", "no port"},
      {"http://me:pw@a", "a user"},
      {"http://a/v1?x=1", "query"},
      {"http://a/\r\nX: y", "odd character"},
      {"", "no http:// or https:// at its start"},
  };
  for (const auto& [text, fault] : cases) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_NE(url.error().message.find(fault), std::string::npos) << url.error().message;
  }
}

}  // namespace
}  // namespace forge::server::client
