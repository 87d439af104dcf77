#include "forge/engine/engine_sizes.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "forge/base/cpu_count.h"
#include "forge/cache/kv_blocks.h"
#include "forge/engine/device_choice.h"
#include "forge/engine/memory_plan.h"
#include "forge/kernels/cuda/attention/kv_type_name.h"
#include "forge/models/decoder_memory.h"
#include "forge/models/device_product_type.h"
#include "forge/tensor/paged_batch.h"

namespace forge::engine {

using kernels::cuda::ProductType;

namespace {

constexpr int32_t kMostSequences = 512;
constexpr int32_t kDefaultStepTokens = 512;
constexpr int32_t kDeviceStepTokens = 2048;  // a device is not busy with less
constexpr int64_t kLogitBytes = int64_t{64} << 20;

Status check_range(std::string_view name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return make_error("{} is {}, expected {} to {}", name, value, low, high);
}

Result<models::BackendOptions> backend_of(const EngineOptions& options) {
  models::BackendOptions backend;
  backend.on_note = options.on_note;
  backend.packed_cache = options.packed_cache;
  if (options.reference) {
    backend.arithmetic = models::Arithmetic::kReference;
  } else {
    FORGE_TRY(backend.isa, kernels::cpu::choose_level());
  }
  if (!options.dtype.empty()) {
    backend.cuda_product_type = kernels::cuda::product_type_from_name(options.dtype);
    if (!backend.cuda_product_type) {
      return make_error("dtype \"{}\": expected bf16, f16, tf32 or f32", options.dtype);
    }
  }
  backend.fast_nondeterministic = options.fast_nondeterministic;
  backend.gpu_memory_fraction = options.gpu_memory_fraction;
  if (!options.quantize.empty()) {
    backend.quantize = dtype_from_name(options.quantize);
    if (!backend.quantize) {
      return make_error("quantize \"{}\": no such block format", options.quantize);
    }
  }
  return backend;
}

/// Which types a cache has depends on where it lies.
Status set_kv_type(const EngineOptions& options, ProductType product_type,
                   models::BackendOptions& backend) {
  const std::string& name = options.kv_dtype;
  if (name.empty()) return {};
  if (backend.cuda_device) {
    const auto type = kernels::cuda::kv_type_from_name(name, product_type);
    if (!type) {
      return make_error("kv_dtype \"{}\": on an NVIDIA device with products in {} expected {}",
                        name, kernels::cuda::name(product_type),
                        kernels::cuda::kv_type_names(product_type));
    }
    backend.cuda_kv_type = *type;
    return {};
  }
  const auto type = kernels::cpu::kv_type_from_name(name);
  if (!type) return make_error("kv_dtype \"{}\": expected bf16, f16, f32 or int8", name);
  backend.kv_type = *type;
  return {};
}

int32_t default_sequences(const models::ModelSpec& spec) {
  const int64_t row_bytes = int64_t{spec.vocab_size} * static_cast<int64_t>(sizeof(float));
  return static_cast<int32_t>(std::clamp<int64_t>(kLogitBytes / row_bytes, 16, kMostSequences));
}

/// decoder: all but the number of cache blocks is chosen.
int32_t default_blocks(const models::Model& model, const EngineInfo& info,
                       const DeviceChoice& device, models::DecoderOptions decoder) {
  const int64_t one_context = cache::KvBlocks::blocks_for(info.context_len);
  const int64_t wanted = std::min<int64_t>(one_context * info.max_sequences,
                                           std::numeric_limits<int32_t>::max() / kBlockLen);
  if (!device.memory) return static_cast<int32_t>(wanted);
  decoder.n_cache_blocks = 0;
  const MemoryPlan plan = plan_memory(model, decoder);
  const int64_t left = device.memory->bytes - (plan.total_bytes() - plan.process_bytes);
  // A device's memory is for this; the host has other things to do, too.
  const int64_t share = device.cuda ? left : left / 2;
  const int64_t fitting = share / (plan.kv_bytes_per_token * kBlockLen);
  return static_cast<int32_t>(std::clamp(fitting, one_context, std::max(wanted, one_context)));
}

}  // namespace

int32_t default_step_tokens(const models::BackendOptions& backend) {
  return backend.cuda_device ? kDeviceStepTokens : kDefaultStepTokens;
}

Result<EngineSizes> choose_sizes(const models::Model& model, const EngineOptions& options) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max() / 2;
  const models::ModelSpec& spec = model.spec;
  FORGE_TRY_STATUS(check_range("context_len", options.context_len, 0, spec.context_len));
  FORGE_TRY_STATUS(check_range("kv_cache_tokens", options.kv_cache_tokens, 0, kMost));
  FORGE_TRY_STATUS(check_range("max_sequences", options.max_sequences, 0, 65536));
  FORGE_TRY_STATUS(check_range("max_step_tokens", options.max_step_tokens, 0, 65536));
  FORGE_TRY_STATUS(check_range("max_queue", options.max_queue, 0, kMost));
  FORGE_TRY_STATUS(check_range("n_threads", options.n_threads, 0, 1024));
  if (!(options.prompt_share > 0.0 && options.prompt_share <= 1.0)) {
    return make_error("prompt_share is {}, expected a number > 0 and <= 1", options.prompt_share);
  }

  if (!(options.gpu_memory_fraction >= 0.05 && options.gpu_memory_fraction <= 0.98)) {
    return make_error("gpu_memory_fraction is {}, expected 0.05 to 0.98",
                      options.gpu_memory_fraction);
  }
  const Result<DeviceWish> wish = parse_device(options.device);
  if (!wish.ok()) return make_error("device {}", wish.error().message);
  if (options.fast_nondeterministic && wish->kind == DeviceWish::Kind::kCpu) {
    return make_error("fast_nondeterministic: for NVIDIA devices; the CPU has one way to compute");
  }

  EngineSizes sizes;
  EngineInfo& info = sizes.info;
  models::DecoderOptions& decoder = sizes.decoder;
  FORGE_TRY(decoder.backend, backend_of(options));
  info.n_threads = options.n_threads > 0 ? std::min(options.n_threads, usable_cpu_count())
                                         : default_thread_count();
  info.context_len = options.context_len > 0 ? options.context_len : spec.context_len;
  // A step must have room for one token of every sequence.
  info.max_sequences = options.max_sequences > 0 ? options.max_sequences : default_sequences(spec);
  if (options.max_sequences == 0 && options.max_step_tokens > 0) {
    info.max_sequences = std::min(info.max_sequences, options.max_step_tokens);
  }
  info.max_step_tokens = options.max_step_tokens > 0
                             ? options.max_step_tokens
                             : std::max(kDefaultStepTokens, info.max_sequences);
  FORGE_TRY_STATUS(check_range("max_sequences", info.max_sequences, 1, info.max_step_tokens));
  info.max_queue = options.max_queue;

  decoder.n_threads = info.n_threads;
  decoder.max_sequences = info.max_sequences;
  decoder.max_sequence_len = info.context_len;
  decoder.max_batch_tokens = info.max_step_tokens;
  // Room for a prompt's log-probabilities beside others, so that they do not take a step a token.
  decoder.max_logit_rows = std::min(std::max(info.max_sequences, 32), info.max_step_tokens);
  FORGE_TRY(const DeviceChoice device, choose_device(*wish, model, decoder));
  decoder.backend.cuda_device = device.cuda;
  settle_fast_nondeterministic(decoder.backend);
  const ProductType product_type = models::device_product_type(model, decoder.backend);
  FORGE_TRY_STATUS(set_kv_type(options, product_type, decoder.backend));
  info.device = device.name();
  info.device_text = device.text;
  if (device.cuda) {
    info.arithmetic = kernels::cuda::name(product_type);
    // It is part of the fingerprint.
    if (decoder.backend.fast_nondeterministic) info.arithmetic += ", fast-nondeterministic";
    info.kv_dtype = kernels::cuda::name(decoder.backend.cuda_kv_type, product_type);
    if (options.max_step_tokens == 0) {
      info.max_step_tokens = std::max(default_step_tokens(decoder.backend), info.max_step_tokens);
      decoder.max_batch_tokens = info.max_step_tokens;
    }
  } else {
    const bool is_fast = decoder.backend.arithmetic == models::Arithmetic::kFast;
    info.arithmetic = is_fast ? std::string(kernels::cpu::name(decoder.backend.isa)) : "reference";
    info.kv_dtype = is_fast ? std::string(kernels::cpu::name(decoder.backend.kv_type)) : "f32";
  }
  decoder.n_cache_blocks = options.kv_cache_tokens > 0
                               ? cache::KvBlocks::blocks_for(options.kv_cache_tokens)
                               : default_blocks(model, info, device, decoder);
  info.kv_cache_tokens = decoder.n_cache_blocks * kBlockLen;
  if (info.kv_cache_tokens < info.context_len) {
    return make_error("kv_cache_tokens is {}, a context of {} does not fit into it",
                      options.kv_cache_tokens, info.context_len);
  }
  if (device.memory) {
    FORGE_TRY_STATUS(check_fits(plan_memory(model, decoder), *device.memory, info.context_len));
  }
  return sizes;
}

}  // namespace forge::engine
