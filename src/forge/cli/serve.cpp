// forge serve: an OpenAI-compatible server.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "forge/base/open_files.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"
#include "forge/cli/serve_options.h"
#include "forge/cli/stop_signals.h"
#include "forge/engine/memory_plan.h"
#include "forge/server/api/api_server.h"

namespace forge::cli {
namespace {

constexpr const char* kExamples =
    "  forge serve\n"
    "  forge serve model.gguf --port 9000 --ctx 4096\n"
    "  forge serve folder --host 0.0.0.0 --api-key-file keys.txt --tls-cert c.pem --tls-key k.pem\n"
    "  curl http://127.0.0.1:8080/v1/completions -d '{\"prompt\": \"The sea\", \"max_tokens\": "
    "20}'\n";

/// Lines to a file or stdout, whole ones, from any thread.
class LineLog {
 public:
  [[nodiscard]] static Result<std::shared_ptr<LineLog>> open(const std::string& path) {
    std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "a");
    if (file == nullptr) return make_error("--access-log {}: cannot be opened for writing", path);
    return std::shared_ptr<LineLog>(new LineLog(file));
  }
  ~LineLog() {
    if (file_ != stdout) std::fclose(file_);
  }
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;

  void write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fputc('\n', file_);
    std::fflush(file_);
  }

 private:
  explicit LineLog(std::FILE* file) : file_(file) {}
  std::mutex mutex_;
  std::FILE* file_;
};

void announce_server(const ServeFlags& flags, const Engine& engine, uint16_t port, bool has_keys) {
  note(capacity_text(engine.info()));
  if (!has_keys && !is_loopback(flags.host)) {
    note("warning: anyone who can reach this address can use the server: no key is asked for");
  }
  const bool is_v6 = flags.host.find(':') != std::string::npos;
  note(fmt::format("listening on {}://{}{}{}:{}", flags.tls_cert.empty() ? "http" : "https",
                   is_v6 ? "[" : "", flags.host, is_v6 ? "]" : "", port));
}

int serve(const CommandLine& line, const ServeFlags& flags) {
  // Before any thread starts, so that all of them leave these signals to this one.
  StopSignals signals;
  Result<server::ApiServerOptions> options = api_server_options(flags);
  if (!options.ok()) return runtime_error(options.error().message);
  if (!flags.access_log.empty()) {
    Result<std::shared_ptr<LineLog>> log = LineLog::open(flags.access_log);
    if (!log.ok()) return runtime_error(log.error().message);
    options->http.access_log = [log = *log](std::string_view text) { log->write(text); };
  }
  options->http.on_problem = [](std::string_view problem) { note(problem); };
  // The usual limit of 1024 would end at a thousand clients, long before --max-connections.
  const Status files = allow_open_files(flags.max_connections);
  if (!files.ok()) note("warning: " + files.error().message);

  Result<engine::LoadedModel> weights = load(flags.model);
  if (!weights.ok()) return runtime_error(weights.error().message);
  const Model model = Model::from(std::move(weights).value());
  if (const Status status = check(flags.serving, model.loaded().spec()); !status.ok()) {
    return line.fail(status.error().message);
  }
  EngineOptions engine_options = serve_engine_options(flags);
  engine_options.on_note = note;
  const Result<std::unique_ptr<Engine>> engine = Engine::create(model, engine_options);
  if (!engine.ok()) return runtime_error(engine.error().message);
  const bool has_keys = !options->http.api_keys.empty();
  const Result<std::unique_ptr<server::ApiServer>> api =
      server::ApiServer::start(**engine, std::move(*options));
  if (!api.ok()) return runtime_error(api.error().message);

  announce(flags.model, model.loaded(), flags.runtime, (*engine)->info().device_text);
  announce_server(flags, **engine, (*api)->port(), has_keys);
  signals.wait();
  note("stopping: answers under way are finished; once more to stop at once");
  const auto patience =
      std::chrono::milliseconds(static_cast<int64_t>(flags.drain_timeout_s * 1e3));
  if (!(*api)->drain(patience)) {
    note(fmt::format("answers that took longer than {} s were cut (--drain-timeout)",
                     flags.drain_timeout_s));
  }
  return kOk;
}

}  // namespace

int run_serve(const Arguments& arguments) {
  ServeFlags flags;
  CommandLine line("serve",
                   "Serve a model over HTTP, as OpenAI's API has it. docs/api.md lists what is "
                   "answered.",
                   kExamples);
  add_serve_options(line, flags);
  if (const auto code = line.parse(arguments)) return *code;
  if (const Status status = check(flags); !status.ok()) return line.fail(status.error().message);
  return serve(line, flags);
}

}  // namespace forge::cli
