#include "forge/cli/stop_signals.h"

#include <unistd.h>

#include <csignal>

#include "forge/cli/report.h"

namespace forge::cli {
namespace {

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void StopSignals::wait() const {
  const sigset_t signals = stop_signals();
  int signal = 0;
  sigwait(&signals, &signal);
  const auto leave = [](int) { _exit(kInterrupted); };
  std::signal(SIGINT, leave);
  std::signal(SIGTERM, leave);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace forge::cli
