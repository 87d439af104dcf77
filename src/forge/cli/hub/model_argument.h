// What --model means: a path, a name on the Hugging Face Hub, or nothing.
#pragma once

#include <string>
#include <string_view>

#include "forge/base/result.h"
#include "forge/cli/hub/pull_run.h"
#include "forge/engine/model_source.h"

namespace forge::cli {

/// The model that is taken from the cache where none is named.
inline constexpr std::string_view kDefaultModel = "HuggingFaceTB/SmolLM2-135M-Instruct";

/// A path that exists wins over a name. A name (org/name[:quant][@revision]) is looked up in the
/// cache of the Hub without a network; what is not there whole is downloaded, with progress on
/// stderr, unless is_offline. Nothing means kDefaultModel where the cache has it whole, else the
/// bundled model. on_interrupt: Ctrl-C while it downloads.
[[nodiscard]] Result<engine::ModelSource> find_model(
    const std::string& model, bool is_offline, OnInterrupt on_interrupt = OnInterrupt::kEndProcess);

/// The line on stderr where no model was named: which one it is, and how to get a better one than
/// the bundled. name: LoadedModel::name.
[[nodiscard]] std::string default_model_note(std::string_view name);

}  // namespace forge::cli
