#include "forge/engine.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "forge/base/hash.h"
#include "forge/base/result.h"
#include "forge/build_info.h"
#include "forge/engine/engine_sizes.h"
#include "forge/engine/loop/engine_loop.h"
#include "forge/engine/loop/stream_reader.h"
#include "forge/engine/panel_logits.h"
#include "forge/formats/checkpoint.h"
#include "forge/tensor/paged_batch.h"

namespace forge {
namespace {

#ifdef NDEBUG
constexpr bool kIsDebug = false;
#else
constexpr bool kIsDebug = true;
#endif

/// Tells checkpoints of the same shape apart by the beginning of each tensor: a page per tensor is
/// read, not the file.
uint64_t hash_of(const formats::TensorSet& tensors) {
  constexpr int64_t kBeginning = 1024;
  std::string text;
  for (const formats::NamedTensor& tensor : tensors.tensors()) {
    const TensorView& view = tensor.view;
    const auto n = static_cast<size_t>(std::min(view.bytes(), kBeginning));
    text += fmt::format("{} {} {} {} {:x}\n", tensor.name, info(view.dtype).name, view.rows(),
                        view.columns(), hash64({view.data, n}));
  }
  return hash64(std::as_bytes(std::span(text)));
}

std::string fingerprint(const Model& model, const EngineInfo& info, const EngineOptions& options) {
  const std::string text =
      fmt::format("{} {} {} {:x} {} {} {} {}", kVersion, kCommit, model.info().name,
                  hash_of(model.loaded().model->tensor_set()), info.device, info.arithmetic,
                  info.kv_dtype, options.quantize);
  return fmt::format("fp_{:016x}", hash64(std::as_bytes(std::span(text))));
}

engine::CoreOptions core_options(const engine::EngineSizes& sizes, const models::ModelSpec& spec,
                                 const EngineOptions& options) {
  const bool has_long_rope = !spec.rope.long_inv_freq.empty();
  return {
      .scheduler = {.max_sequences = sizes.info.max_sequences,
                    .max_step_tokens = sizes.info.max_step_tokens,
                    .max_logit_rows = sizes.decoder.max_logit_rows,
                    .window = spec.longest_window(),
                    .window_span = kSpanLen,
                    .long_rope_after = has_long_rope ? spec.rope.original_context : 0},
      .blocks = {.n_blocks = sizes.decoder.n_cache_blocks, .prefix_cache = options.prefix_cache},
      .prompt_share = options.prompt_share,
      .number_hint = sizes.info.arithmetic == "f16" ? engine::kF16Hint : std::string_view(),
      .checks_invariants = kIsDebug};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const Model& model, const EngineOptions& options) {
  const models::Model& weights = *model.loaded().model;
  FORGE_TRY(engine::EngineSizes sizes, engine::choose_sizes(weights, options));
  sizes.info.fingerprint = fingerprint(model, sizes.info, options);
  FORGE_TRY(models::Decoder decoder, models::Decoder::create(weights, sizes.decoder));
  const engine::CoreOptions core = core_options(sizes, weights.spec, options);
  return std::unique_ptr<Engine>(new Engine(std::make_unique<engine::EngineLoop>(
      model, std::move(sizes.info), options.max_queue, std::move(decoder), core)));
}

Engine::Engine(std::unique_ptr<engine::EngineLoop> loop) : loop_(std::move(loop)) {}
Engine::~Engine() = default;

Result<Stream> Engine::submit(Request request, std::function<void()> on_news) {
  FORGE_TRY(auto reader, loop_->submit(std::move(request), std::move(on_news)));
  return Stream(std::move(reader));
}

const Model& Engine::model() const { return loop_->model(); }
const EngineInfo& Engine::info() const { return loop_->info(); }
EngineStats Engine::stats() const { return loop_->stats(); }
bool Engine::is_responsive(std::chrono::milliseconds bound) const {
  return loop_->is_responsive(bound);
}
void Engine::shut_down() { loop_->shut_down(); }

Stream::Stream(std::unique_ptr<engine::StreamReader> reader) : reader_(std::move(reader)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

std::vector<StreamEvent> Stream::poll() { return reader_->poll(); }
std::vector<StreamEvent> Stream::wait() { return reader_->wait(); }
std::vector<StreamEvent> Stream::wait_for(std::chrono::milliseconds timeout) {
  return reader_->wait_for(timeout);
}
bool Stream::is_done() const { return reader_->is_done(); }
void Stream::cancel() { reader_->cancel(); }
Usage Stream::usage() const { return reader_->usage(); }
RequestTimes Stream::times() const { return reader_->times(); }

}  // namespace forge
