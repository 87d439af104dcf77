// Spawns the binary named by FORGE_BINARY as a server; no reference, this is the tests' own tool.
#include "tests/cli/server_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace forge::cli {
namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments, const std::string& out,
                         const std::string& err, const std::vector<Environment>& environment) {
  const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int no_input = ::open("/dev/null", O_RDONLY);
  ::dup2(no_input, STDIN_FILENO);
  ::dup2(out_file, STDOUT_FILENO);
  ::dup2(err_file, STDERR_FILENO);
  for (const char* name : {"FORGE_MODEL", "FORGE_PORT", "FORGE_DEVICE"}) ::unsetenv(name);
  for (const Environment& entry : environment) {
    ::setenv(entry.name.c_str(), entry.value.c_str(), 1);
  }
  std::vector<char*> argv = {const_cast<char*>(FORGE_BINARY), const_cast<char*>("serve")};
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

ServerProgram::ServerProgram(const std::vector<std::string>& arguments,
                             const std::vector<Environment>& environment) {
  const std::string err_file = folder_.write("err", "");
  const std::string out_file = folder_.write("out", "");
  process_ = ::fork();
  if (process_ == 0) become(arguments, out_file, err_file, environment);
  constexpr std::string_view kMark = "listening on ";
  const bool is_settled = eventually([&] {
    const std::string said = err();
    const size_t at = said.find(kMark);
    if (at != std::string::npos && said.find('\n', at) != std::string::npos) {
      const size_t begin = at + kMark.size();
      url_ = said.substr(begin, said.find('\n', at) - begin);
    }
    return !url_.empty() || wait(std::chrono::milliseconds(0)).has_value();
  });
  EXPECT_TRUE(is_settled) << err();
}

ServerProgram::~ServerProgram() {
  if (exit_code_) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

uint16_t ServerProgram::port() const {
  const size_t colon = url_.rfind(':');
  if (colon == std::string::npos) return 0;
  return static_cast<uint16_t>(std::stoi(url_.substr(colon + 1)));
}

void ServerProgram::signal(int number) const {
  if (!exit_code_) ::kill(process_, number);
}

std::optional<int> ServerProgram::wait(std::chrono::milliseconds within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!exit_code_) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    if (std::chrono::steady_clock::now() >= end) break;
    ::usleep(2000);
  }
  return exit_code_;
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
