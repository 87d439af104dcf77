#include "forge/server/http/request.h"

#include <boost/beast/core/string.hpp>

namespace forge::server::http {

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

}  // namespace forge::server::http
