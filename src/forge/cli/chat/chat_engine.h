// An engine of the size that one conversation takes.
#pragma once

#include <cstdint>

#include "forge/base/result.h"
#include "forge/cli/chat/chat_options.h"
#include "forge/engine.h"

namespace forge::cli::chat {

/// Options for one sequence that keeps its prefix. The context is --ctx; where that is 0, the
/// model's or, where memory does not hold that, the largest half, quarter ... of it that fits, on
/// an NVIDIA device if one can be had so. Fails where --ctx is more than the model's. What does not
/// fit at all is left to Engine::create to say.
[[nodiscard]] Result<EngineOptions> chat_engine_options(const ChatFlags& flags, const Model& model);

}  // namespace forge::cli::chat
