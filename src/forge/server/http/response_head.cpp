#include "forge/server/http/response_head.h"

#include <fmt/format.h>

#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>

namespace forge::server::http {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::string response_head(int minor_version, int status, const Headers& headers) {
  namespace beast_http = boost::beast::http;
  const auto reason =
      beast_http::obsolete_reason(beast_http::int_to_status(static_cast<unsigned>(status)));
  std::string head = fmt::format("HTTP/1.{} {} {}\r\n", minor_version, status,
                                 std::string_view(reason.data(), reason.size()));
  for (const auto& [name, value] : headers) {
    head += name;
    head += ": ";
    for (const char c : value) head += is_control(c) ? ' ' : c;
    head += "\r\n";
  }
  head += "\r\n";
  return head;
}

std::string http_date(std::chrono::system_clock::time_point time) {
  // strftime would say it in the process's language.
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[utc.tm_wday], utc.tm_mday,
                     kMonths[utc.tm_mon], 1900 + utc.tm_year, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace forge::server::http
