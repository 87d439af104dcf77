#include "forge/models/cuda/library/library_setup.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "forge/models/cuda/step_products.h"

namespace forge::models::cuda {
namespace {

using kernels::cuda::DeviceMemory;
using kernels::cuda::Finish;
using kernels::cuda::MatmulTask;
using kernels::cuda::Stream;

/// The products of a step, as far as their scratch goes.
std::vector<MatmulTask> matrices_of(const DeviceWeights& weights) {
  std::vector<MatmulTask> tasks = {{.weight = weights.head, .finish = Finish::kLogits}};
  for (const DeviceLayer& layer : weights.layers) {
    for (size_t i = 0; i < static_cast<size_t>(layer.n_qkv); ++i) {
      tasks.push_back({.weight = layer.qkv[i].matrix});
    }
    for (const auto* matrix : {&layer.output, &layer.gate_up, &layer.down}) {
      tasks.push_back({.weight = *matrix});
    }
  }
  return tasks;
}

Result<int32_t> least_tokens() {
  const char* const text = std::getenv("FORGE_CUBLASLT_TOKENS");
  if (text == nullptr || *text == '\0') return kLibraryTokens;
  const std::string_view number = text;
  int32_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || value < 2) {
    return make_error("FORGE_CUBLASLT_TOKENS is \"{}\", expected a number from 2 on", text);
  }
  return value;
}

bool takes_all() {
  const char* const text = std::getenv("FORGE_CUBLASLT_ALL");
  return text != nullptr && std::string_view(text) == "1";
}

/// Nothing is measured on zeros, which take less power than numbers do: the inputs of products
/// become bits of the weights.
Status fill_inputs(Stream& stream, const LibrarySetup& setup) {
  const DecoderShape& shape = setup.shape;
  const std::pair<void*, int64_t> inputs[] = {{setup.buffers.x, shape.x},
                                              {setup.buffers.attended, shape.attended},
                                              {setup.buffers.mid, shape.mid}};
  for (const auto& [to, stride] : inputs) {
    const int64_t bytes = shape.n_tokens * stride * static_cast<int64_t>(sizeof(uint16_t));
    FORGE_TRY_STATUS(
        stream.copy(to, setup.weight_memory.data(), std::min(bytes, setup.weight_memory.bytes())));
  }
  return {};
}

}  // namespace

int64_t library_scratch_bytes(const DeviceWeights& weights, const DecoderShape& shape) {
  DeviceArena counting;
  (void)lay_out_library_scratch(matrices_of(weights), shape.n_tokens, counting);
  return counting.used();
}

Result<std::unique_ptr<LibraryProducts>> prepare_library(Stream& stream, ProductLibrary library,
                                                         const LibrarySetup& setup) {
  FORGE_TRY(const int32_t least, least_tokens());
  DeviceArena arena(setup.scratch.data(), setup.scratch.bytes());
  auto products = std::make_unique<LibraryProducts>(
      std::move(library),
      LibraryProducts::Setup{.device = setup.device,
                             .least_tokens = least,
                             .max_tokens = setup.shape.n_tokens,
                             .scratch = lay_out_library_scratch(matrices_of(setup.weights),
                                                                setup.shape.n_tokens, arena),
                             .takes_all = takes_all(),
                             .on_note = setup.on_note});
  FORGE_TRY_STATUS(fill_inputs(stream, setup));
  const StepProducts step(setup.spec, setup.shape, setup.weights, setup.buffers);
  FORGE_TRY_STATUS(products->prepare(stream, [&](int32_t n) { return step.all(n); }));
  return products;
}

}  // namespace forge::models::cuda
