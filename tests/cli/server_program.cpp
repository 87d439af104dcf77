// No reference, this is the tests' own tool.
#include "tests/cli/server_program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/eventually.h"

namespace forge::cli {
ServerProgram::ServerProgram(const std::vector<std::string>& arguments,
                             const std::vector<Environment>& environment)
    : RunningProgram("serve", arguments, environment) {
  constexpr std::string_view kMark = "listening on ";
  const bool is_settled = eventually([&] {
    const std::string said = err();
    const size_t at = said.find(kMark);
    if (at != std::string::npos && said.find('\n', at) != std::string::npos) {
      const size_t begin = at + kMark.size();
      url_ = said.substr(begin, said.find('\n', at) - begin);
    }
    return !url_.empty() || has_ended();
  });
  EXPECT_TRUE(is_settled) << err();
}

std::vector<std::string> EndlessServer::arguments(const std::string& model,
                                                  const std::vector<std::string>& more) {
  std::vector<std::string> all = {model, "--port", "0", "--dtype", "f32", "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

uint16_t ServerProgram::port() const {
  const size_t colon = url_.rfind(':');
  if (colon == std::string::npos) return 0;
  return static_cast<uint16_t>(std::stoi(url_.substr(colon + 1)));
}

Answer ServerProgram::get(std::string_view path, std::string_view lines) const {
  return TestClient(port()).ask(server::http::get(path, lines));
}

Answer ServerProgram::post(std::string_view path, std::string_view body,
                           std::string_view lines) const {
  return TestClient(port()).ask(server::http::post(path, body, lines));
}

double ServerProgram::metric(std::string_view name) const {
  const std::string text = "\n" + get("/metrics").body;
  const std::string mark = fmt::format("\n{} ", name);
  const size_t at = text.find(mark);
  return at == std::string::npos ? -1.0 : std::stod(text.substr(at + mark.size()));
}

json::Document parse_json(std::string_view text) {
  Result<json::Document> document = json::Document::parse(text, "answer");
  EXPECT_TRUE(document.ok()) << text;
  if (!document.ok()) document = json::Document::parse("null", "nothing");
  return std::move(document).value();
}

StreamText read_stream(const Answer& answer) {
  StreamText stream;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const std::string_view event = rest.substr(0, rest.find("\n\n"));
    rest.remove_prefix(std::min(event.size() + 2, rest.size()));
    EXPECT_TRUE(event.starts_with("data: ")) << event;
    const std::string_view data = event.substr(6);
    if (data == "[DONE]") {
      stream.is_whole = answer.is_whole && rest.empty();
      break;
    }
    const json::Document document = parse_json(data);
    const json::Value error = document.root().find("error");
    if (!error.is_missing()) stream.error = error.find("message").as_string().value_or("");
    const json::Value choices = document.root().find("choices");
    if (choices.size() == 0 || choices.at(0).find("index").as_int() != 0) continue;
    stream.text += choices.at(0).find("text").as_string().value_or("");
    stream.finish_reason = choices.at(0).find("finish_reason").as_string().value_or("");
  }
  return stream;
}

}  // namespace forge::cli
