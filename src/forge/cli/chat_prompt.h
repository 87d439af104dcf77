// A user's message in the form the model was trained on.
#pragma once

#include <optional>
#include <string>

#include "forge/base/result.h"
#include "forge/engine/loaded_model.h"

namespace forge::cli {

/// The model's chat template applied to an optional system message and a user's message, ready for
/// the assistant's answer. Fails where the model has no template, and where the template fails.
[[nodiscard]] Result<std::string> render_chat(const engine::LoadedModel& loaded,
                                              const std::optional<std::string>& system,
                                              const std::string& user);

}  // namespace forge::cli
