#include "forge/server/http/error_reply.h"

#include "forge/base/json.h"

namespace forge::server::http {
namespace {

void add_text_or_null(json::Writer& writer, std::string_view name, std::string_view text) {
  writer.key(name);
  if (text.empty()) {
    writer.null();
  } else {
    writer.value(text);
  }
}

}  // namespace

std::string error_body(std::string_view message, std::string_view type, std::string_view param,
                       std::string_view code) {
  json::Writer writer;
  writer.begin_object().key("error").begin_object();
  writer.member("message", message).member("type", type);
  add_text_or_null(writer, "param", param);
  add_text_or_null(writer, "code", code);
  writer.end_object().end_object();
  return writer.text();
}

Reply error_reply(int status, std::string_view type, std::string_view message,
                  std::string_view param, std::string_view code) {
  Reply reply;
  reply.status = status;
  reply.body = error_body(message, type, param, code);
  return reply;
}

}  // namespace forge::server::http
