#include "forge/cli/hub/pull_run.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>

#include "forge/base/format_bytes.h"
#include "forge/build_info.h"
#include "forge/cli/hub/pull_progress.h"
#include "forge/cli/report.h"
#include "forge/engine/process_memory.h"

namespace forge::cli {
namespace {

volatile std::sig_atomic_t stop_signal = 0;

void on_stop_signal(int number) { stop_signal = number; }

/// SIGINT and SIGTERM as a flag while it lives, also where a program has blocked them; a second one
/// ends the process.
class StopFlag {
 public:
  StopFlag() {
    stop_signal = 0;
    struct sigaction action {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &old_interrupt_);
    sigaction(SIGTERM, &action, &old_terminate_);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &signals, &old_mask_);
  }
  ~StopFlag() {
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
    sigaction(SIGINT, &old_interrupt_, nullptr);
    sigaction(SIGTERM, &old_terminate_, nullptr);
  }
  StopFlag(const StopFlag&) = delete;
  StopFlag& operator=(const StopFlag&) = delete;

 private:
  struct sigaction old_interrupt_ {};
  struct sigaction old_terminate_ {};
  sigset_t old_mask_{};
};

void summarise(const hub::ModelName& name, const hub::PulledModel& model, double seconds) {
  const std::string what =
      fmt::format("{}: {} file{}, {}, {} is {}", name.text(), model.files.size(),
                  model.files.size() == 1 ? "" : "s", format_bytes(model.n_bytes), name.revision,
                  model.commit.substr(0, 12));
  if (model.n_received == 0) return note(what + "; nothing was to be downloaded");
  const auto rate = static_cast<int64_t>(static_cast<double>(model.n_received) / seconds);
  note(fmt::format("{}; {} downloaded in {:.1f} s ({}/s), checksums agree", what,
                   format_bytes(model.n_received), seconds, format_bytes(rate)));
}

void tell_what_is_kept(const PullDisplay& display) {
  note(display.n_total() == 0
           ? "interrupted"
           : fmt::format("interrupted: {} of {} are kept, the same command goes on from there",
                         format_bytes(display.n_kept()), format_bytes(display.n_total())));
}

}  // namespace

bool was_interrupted() { return stop_signal != 0; }

Result<hub::PulledModel> run_pull_of(const hub::ModelName& name, const hub::Settings& settings,
                                     OnInterrupt on_interrupt, PullNoise noise) {
  const StopFlag flag;
  std::signal(SIGXFSZ, SIG_IGN);  // a file above a limit is an error that says so
  hub::PullOptions options{.settings = settings, .memory_bytes = std::nullopt};
  options.settings.user_agent = fmt::format("forge/{}", kVersion);
  if (const auto memory = engine::available_memory()) options.memory_bytes = memory->bytes;

  PullDisplay display(noise == PullNoise::kProgress);
  hub::PullEvents events;
  events.on_note = [&](std::string_view line) {
    display.clear();
    note(line);
  };
  events.on_progress = [&](const hub::PullProgress& progress) { display.show(progress); };
  events.is_stopped = [] { return stop_signal != 0; };
  const auto start = std::chrono::steady_clock::now();
  Result<hub::PulledModel> model = hub::pull(name, options, events);
  display.clear();
  if (model.ok()) {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    summarise(name, *model, std::max(elapsed.count(), 1e-3));
  } else if (stop_signal != 0) {
    tell_what_is_kept(display);
    if (on_interrupt == OnInterrupt::kEndProcess ||
        (on_interrupt == OnInterrupt::kReturnFromCtrlC && stop_signal != SIGINT)) {
      std::signal(stop_signal, SIG_DFL);
      std::raise(stop_signal);
    }
  }
  return model;
}

}  // namespace forge::cli
