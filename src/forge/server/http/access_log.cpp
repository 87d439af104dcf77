#include "forge/server/http/access_log.h"

#include <fmt/format.h>

#include <cmath>
#include <ctime>
#include <variant>

#include "forge/base/json.h"

namespace forge::server::http {
namespace {

std::string utc_time(std::chrono::system_clock::time_point time) {
  using std::chrono::duration_cast;
  const auto ms = duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", 1900 + utc.tm_year,
                     1 + utc.tm_mon, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

}  // namespace

std::string access_line(const Request& request, const AccessRecord& record) {
  json::Writer line;
  line.begin_object().member("time", utc_time(record.time)).member("id", request.id);
  line.member("method", request.method).member("path", request.path);
  line.member("status", record.status).member("bytes", record.body_bytes);
  const double us = std::chrono::duration<double, std::micro>(record.duration).count();
  line.member("ms", std::round(us) / 1000);
  line.member("peer", request.peer).member("client", request.client);
  if (record.is_cut) line.member("cut", true);
  for (const auto& [key, value] : record.notes) {
    line.key(key);
    std::visit([&line](const auto& content) { line.value(content); }, value);
  }
  line.end_object();
  return line.text();
}

}  // namespace forge::server::http
