#include "forge/cli/chat/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace forge::cli::chat {
namespace {

volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t terminated = 0;
volatile std::sig_atomic_t resized = 0;
volatile std::sig_atomic_t continued = 0;
// The handler may run in any thread; a byte in here wakes the one that waits for input.
std::array<int, 2> wake_pipe = {-1, -1};

void on_signal(int number) {
  const int saved = errno;
  (number == SIGINT     ? interrupted
   : number == SIGWINCH ? resized
   : number == SIGCONT  ? continued
                        : terminated) = 1;
  const char byte = 0;
  [[maybe_unused]] const ssize_t n = ::write(wake_pipe[1], &byte, 1);
  errno = saved;
}

bool take(volatile std::sig_atomic_t& flag) {
  const bool was_set = flag != 0;
  flag = 0;
  return was_set;
}

}  // namespace

void catch_signals() {
  if (::pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT}) {
    sigaction(number, &action, nullptr);
  }
}

bool is_interrupted() { return interrupted != 0; }
bool take_interrupt() { return take(interrupted); }
bool is_terminated() { return terminated != 0; }
bool take_resize() { return take(resized); }
bool take_continue() { return continued != 0 && is_in_foreground() && take(continued); }
bool is_in_foreground() { return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp(); }

bool has_input(int file) {
  pollfd asked{file, POLLIN, 0};
  return ::poll(&asked, 1, 0) > 0;
}

bool wait_for_input(int file) {
  std::array<pollfd, 2> files = {{{file, POLLIN, 0}, {wake_pipe[0], POLLIN, 0}}};
  while (::poll(files.data(), files.size(), -1) < 0) {
    // The signal's byte is in the pipe.
  }
  if (files[1].revents == 0) return true;
  std::array<char, 64> bytes;
  while (::read(wake_pipe[0], bytes.data(), bytes.size()) > 0) {
  }
  return false;
}

}  // namespace forge::cli::chat
