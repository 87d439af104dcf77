// Ctrl-C and the other signals of a conversation, which end answers rather than the program.
#pragma once

namespace forge::cli::chat {

/// From now on SIGINT, SIGTERM, SIGHUP and SIGWINCH are only noted. Once per process.
void catch_signals();

/// Whether SIGINT has come since the last take_interrupt().
[[nodiscard]] bool is_interrupted();
bool take_interrupt();
/// SIGTERM or SIGHUP has come: the program should end in good order.
[[nodiscard]] bool is_terminated();
/// Whether the terminal's size has changed since the last call.
[[nodiscard]] bool take_resize();

/// Waits until a file can be read (true), or a signal has come that was caught (false). No signal
/// is missed, whenever it comes.
[[nodiscard]] bool wait_for_input(int file);

}  // namespace forge::cli::chat
