// Ctrl-C (SIGINT) and SIGTERM as a question that long work asks between steps.
#pragma once

namespace forge::cli {

/// From now on the first signal only sets a flag; a second one ends the process as usual.
void catch_interrupts();
[[nodiscard]] bool is_interrupted();

}  // namespace forge::cli
