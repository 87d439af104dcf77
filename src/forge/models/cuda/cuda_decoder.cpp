#include "forge/models/cuda/cuda_decoder.h"

#include <optional>
#include <string>
#include <utility>

#include "forge/kernels/cuda/attention/attention.h"
#include "forge/models/cuda/device_decoder.h"
#include "forge/models/cuda/library/library_setup.h"
#include "forge/models/cuda/weight_loader.h"
#include "forge/models/device_product_type.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::DeviceInfo;
using kernels::cuda::DeviceMemory;
using kernels::cuda::ProductType;
using kernels::cuda::Stream;

/// Positions in the table of angles.
int64_t n_positions(const DecoderShape& shape) { return shape.max_kv_len; }

Status check_options(const Model& model, const DecoderOptions& options, const DeviceInfo& device) {
  const ModelSpec& spec = model.spec;
  if (kernels::cuda::padded_head_dim(spec.head_dim) == 0 || spec.head_dim % 4 != 0) {
    return make_error(
        "heads of {} dimensions: on NVIDIA devices they have a multiple of 4, at "
        "most {}; use --device cpu",
        spec.head_dim, kernels::cuda::kMaxHeadDim);
  }
  if (spec.hidden_dim % kernels::cuda::kRowTile != 0) {
    return make_error(
        "a hidden size of {}: on NVIDIA devices it is a multiple of {}; use --device "
        "cpu",
        spec.hidden_dim, kernels::cuda::kRowTile);
  }
  if (spec.vocab_size > kernels::cuda::kMaxSampledVocab) {
    return make_error("a vocabulary of {}: on NVIDIA devices it has at most {} tokens",
                      spec.vocab_size, kernels::cuda::kMaxSampledVocab);
  }
  const ProductType product_type = device_product_type(model, options.backend);
  if (options.backend.fast_nondeterministic && product_type == ProductType::kF16) {
    return make_error(
        "--fast-nondeterministic: products of this model are in f16, whose activations have scales "
        "that cuBLASLt does not know; use --dtype bf16, or leave the flag away");
  }
  if (options.backend.fast_nondeterministic && product_type != ProductType::kBf16) {
    return make_error(
        "--fast-nondeterministic: it is for products in bf16; with --dtype {} leave the flag away",
        kernels::cuda::name(product_type));
  }
  if (options.backend.quantize && kernels::cuda::element_bytes(product_type) == 4) {
    return make_error("--quantize: with --dtype {} weights stay as they are; use bf16 or f16",
                      kernels::cuda::name(product_type));
  }
  if (options.backend.cuda_kv_type != kernels::cuda::KvType::kPlain &&
      kernels::cuda::element_bytes(product_type) == 4) {
    return make_error("--kv-dtype: with --dtype {0} the cache is {0} too; use bf16 or f16",
                      kernels::cuda::name(product_type));
  }
  const bool is_fp8 = options.backend.cuda_kv_type == kernels::cuda::KvType::kFp8;
  if (is_fp8 && device.compute_capability < 89) {
    return make_error(
        "cuda:{} ({}) has no fp8 numbers (compute capability {}.{}, 8.9 has): use "
        "--kv-dtype int8",
        device.index, device.name, device.compute_capability / 10, device.compute_capability % 10);
  }
  return {};
}

int64_t work_bytes(const ModelSpec& spec, const DecoderShape& shape) {
  DeviceArena counting;
  (void)lay_out_work(spec, shape, counting);
  return counting.used();
}

}  // namespace

int64_t cuda_weight_bytes(const Model& model, const DecoderOptions& options) {
  DeviceArena counting;
  const DecoderShape shape(model.spec, options);
  (void)lay_out_weights(model, options.backend, n_positions(shape), counting);
  return counting.used();
}

int64_t cuda_workspace_bytes(const Model& model, const DecoderOptions& options) {
  const DecoderShape shape(model.spec, options);
  int64_t bytes = work_bytes(model.spec, shape);
  if (options.backend.fast_nondeterministic) {
    DeviceArena counting;
    const WeightPlan plan = lay_out_weights(model, options.backend, n_positions(shape), counting);
    bytes += library_scratch_bytes(plan.weights, shape);
  }
  return bytes;
}

int64_t cuda_kv_bytes_per_token(const ModelSpec& spec, const DecoderOptions& options) {
  return 2 * spec.n_layers * DecoderShape(spec, options).kv_block_bytes / kBlockLen;
}

Result<std::unique_ptr<DecoderBackend>> make_cuda_decoder(const Model& model,
                                                          const DecoderOptions& options) {
  const int32_t index = options.backend.cuda_device.value_or(0);
  DecoderParts parts;
  FORGE_TRY(parts.device, kernels::cuda::open_device(index));
  FORGE_TRY_STATUS(check_options(model, options, parts.device));
  parts.shape = DecoderShape(model.spec, options);
  const DecoderShape& shape = parts.shape;
  FORGE_TRY(parts.weight_memory,
            DeviceMemory::allocate(index, cuda_weight_bytes(model, options), "weights"));
  FORGE_TRY(parts.kv_memory,
            DeviceMemory::allocate(index, shape.kv_bytes(model.spec.n_layers), "the KV cache"));
  FORGE_TRY(parts.work_memory,
            DeviceMemory::allocate(index, work_bytes(model.spec, shape), "activations"));
  FORGE_TRY(parts.stream, Stream::create(index, Stream::Priority::kHigh));
  std::optional<ProductLibrary> library;
  if (options.backend.fast_nondeterministic) {
    FORGE_TRY(library, ProductLibrary::open(parts.stream));
  }
  for (Flight& flight : parts.flights) {
    FORGE_TRY(flight, Flight::create(index, shape));
  }
  FORGE_TRY(parts.block_copier, BlockCopier::create(index, shape));

  DeviceArena arena(parts.weight_memory.data(), parts.weight_memory.bytes());
  WeightPlan plan = lay_out_weights(model, options.backend, n_positions(shape), arena);
  for (const std::string& note : plan.notes) {
    if (options.backend.on_note) options.backend.on_note(note);
  }
  FORGE_TRY_STATUS(load_weights(model, plan, index, n_positions(shape), options.n_threads));
  parts.weights = std::move(plan.weights);
  DeviceArena work_arena(parts.work_memory.data(), parts.work_memory.bytes());
  const WorkMemory work = lay_out_work(model.spec, shape, work_arena);
  if (library) {
    FORGE_TRY(parts.library_memory,
              DeviceMemory::allocate(index, library_scratch_bytes(parts.weights, shape),
                                     "the products of --fast-nondeterministic"));
    FORGE_TRY(parts.library,
              prepare_library(parts.stream, std::move(*library),
                              {parts.device, model.spec, shape, parts.weights, parts.weight_memory,
                               work.buffers, parts.library_memory, options.backend.on_note}));
  }
  // Zeros: padding must read as zeros, and what a cache block held before must be numbers.
  for (const DeviceMemory* memory : {&parts.kv_memory, &parts.work_memory}) {
    FORGE_TRY_STATUS(parts.stream.fill(memory->data(), 0, memory->bytes()));
  }
  FORGE_TRY_STATUS(
      kernels::cuda::clear_sample_workspace(parts.stream, work.samples.workspace, shape.n_samples));
  FORGE_TRY_STATUS(parts.stream.synchronize());
  return std::unique_ptr<DecoderBackend>(
      std::make_unique<DeviceDecoder>(model, options, std::move(parts)));
}

}  // namespace forge::models::cuda
