#include "forge/cli/chat/chat_engine.h"

#include <algorithm>
#include <optional>

#include "forge/cli/engine_options.h"
#include "forge/engine/device_choice.h"
#include "forge/engine/engine_sizes.h"
#include "forge/engine/loaded_model.h"

namespace forge::cli::chat {
namespace {

/// Less than this is no conversation; a model that does not fit with it does not fit.
constexpr int32_t kLeastContext = 2048;
/// Contexts that are worth leaving an NVIDIA device for.
constexpr int32_t kLeastDeviceContext = 8192;

EngineOptions with_context(EngineOptions options, int32_t context) {
  options.context_len = context;
  options.kv_cache_tokens = context;
  return options;
}

/// The largest context that fits, on the device that is wanted most.
int32_t largest_context(const EngineOptions& options, const Model& model, int32_t most) {
  std::optional<int32_t> fitting;
  const bool wants_cuda = options.device == "auto" && !engine::cuda_built_for().empty();
  for (int32_t context = most; context >= std::min(most, kLeastContext); context /= 2) {
    const Result<engine::EngineSizes> sizes =
        engine::choose_sizes(*model.loaded().model, with_context(options, context));
    if (!sizes.ok()) continue;
    if (!fitting) fitting = context;
    if (!wants_cuda || sizes->decoder.backend.cuda_device) return context;
    if (context / 2 < kLeastDeviceContext) break;
  }
  return fitting.value_or(std::min(most, kLeastContext));
}

}  // namespace

Result<EngineOptions> chat_engine_options(const ChatFlags& flags, const Model& model) {
  FORGE_TRY(const int32_t most, choose_context(flags.ctx, model.loaded().spec()));
  EngineOptions options = engine_options(flags.runtime);
  options.max_sequences = 1;
  const int32_t context = flags.ctx > 0 ? most : largest_context(options, model, most);
  return with_context(options, context);
}

}  // namespace forge::cli::chat
