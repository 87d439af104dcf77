// Ctrl-C and the other signals of a conversation, which end answers rather than the program.
#pragma once

namespace forge::cli::chat {

/// From now on SIGINT, SIGTERM, SIGHUP, SIGWINCH and SIGCONT are only noted. Once per process.
void catch_signals();

/// Whether SIGINT has come since the last take_interrupt().
[[nodiscard]] bool is_interrupted();
bool take_interrupt();
/// SIGTERM or SIGHUP has come: the program should end in good order.
[[nodiscard]] bool is_terminated();
/// Whether the terminal's size has changed since the last call.
[[nodiscard]] bool take_resize();
/// Whether the process was stopped (Ctrl-Z) and goes on since the last call; a shell has then put
/// the terminal's modes back to its own. Not while it goes on in the background, where the terminal
/// is others'.
[[nodiscard]] bool take_continue();
/// The terminal is this process's to read and set.
[[nodiscard]] bool is_in_foreground();

/// Whether a file can be read at once.
[[nodiscard]] bool has_input(int file);
/// Waits until a file can be read (true), or a signal has come that was caught (false). No signal
/// is missed, whenever it comes.
[[nodiscard]] bool wait_for_input(int file);

}  // namespace forge::cli::chat
