// SIGINT and SIGTERM for a program that ends in good order.
#pragma once

namespace forge::cli {

/// From its making on the signals wait for wait(); threads started later leave them to it. One per
/// process, made before other threads.
class StopSignals {
 public:
  StopSignals();

  /// Returns when the first signal has come. From then on another one ends the process at once
  /// (exit code 130).
  void wait() const;
};

}  // namespace forge::cli
