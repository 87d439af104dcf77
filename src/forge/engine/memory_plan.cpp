#include "forge/engine/memory_plan.h"

#include <algorithm>

#include "forge/base/format_bytes.h"
#include "forge/models/decoder_memory.h"
#include "forge/tensor/paged_batch.h"

namespace forge::engine {
namespace {

/// Linux maps up to this much around a page that is touched (fault_around_bytes, its default).
constexpr int64_t kFaultAroundBytes = 64 * 1024;

/// What a run touches beside all that is counted, measured: the kernels' code, threads' stacks, the
/// sampler.
constexpr int64_t kStepBytes = 600 * 1024;

/// Bytes of the embedding that n_tokens different tokens touch.
int64_t touched_embedding_bytes(const TensorView& embedding, int64_t n_tokens) {
  const int64_t per_token = std::max(embedding.bytes_per_row(), kFaultAroundBytes);
  const int64_t n = std::min(n_tokens, embedding.rows());
  return std::min(embedding.bytes(), n * per_token);
}

}  // namespace

MemoryPlan plan_memory(const models::Model& model, const models::DecoderOptions& options) {
  MemoryPlan plan;
  int64_t resident_weight_bytes = 0;
  for (const formats::NamedTensor& tensor : model.tensor_set().tensors()) {
    const auto bytes = static_cast<size_t>(tensor.view.bytes());
    plan.weight_bytes += static_cast<int64_t>(bytes);
    resident_weight_bytes += resident_bytes({tensor.view.data, bytes});
  }
  plan.kv_bytes_per_token = models::kv_bytes_per_token(model.spec, options);
  plan.kv_tokens = options.n_cache_blocks * kBlockLen;
  plan.kv_bytes = models::kv_cache_bytes(model.spec, options);
  plan.workspace_bytes = models::workspace_bytes(model, options);
  plan.batch_tokens = options.max_batch_tokens;

  const models::ModelWeights& weights = model.weights;
  const bool is_tied = weights.output.data == weights.token_embedding.data;
  const int64_t embedding_rows =
      is_tied ? 0 : touched_embedding_bytes(weights.token_embedding, plan.kv_tokens);
  plan.is_packed = options.backend.arithmetic == models::Arithmetic::kFast;
  if (options.backend.cuda_device) {
    // What counts is the device's memory. The checkpoint's pages go back as they are copied.
    plan.resident_weight_bytes = models::packed_weight_bytes(model, options);
  } else if (plan.is_packed) {
    // A checkpoint in memory stays there beside its packed copy.
    plan.resident_weight_bytes = models::packed_weight_bytes(model, options) + embedding_rows +
                                 (model.is_mapped ? 0 : plan.weight_bytes);
  } else {
    plan.resident_weight_bytes =
        plan.weight_bytes + embedding_rows - (is_tied ? 0 : weights.token_embedding.bytes());
  }
  plan.process_bytes = std::max<int64_t>(resident_bytes() - resident_weight_bytes, 0) + kStepBytes;
  return plan;
}

Status check_fits(const MemoryPlan& plan, const AvailableMemory& available, int64_t context_len) {
  // What the process holds already is not in the available memory any more.
  const int64_t needed = plan.total_bytes() - plan.process_bytes;
  if (needed <= available.bytes) return {};
  const std::string numbers = fmt::format(
      "not enough memory: weights {} + KV cache {} ({} tokens) + workspace {} = {}, {} has {} left",
      format_bytes(plan.resident_weight_bytes), format_bytes(plan.kv_bytes), plan.kv_tokens,
      format_bytes(plan.workspace_bytes), format_bytes(needed), available.limit,
      format_bytes(available.bytes));
  const int64_t room_for_kv = available.bytes - (needed - plan.kv_bytes);
  // A fiftieth less, since the rest of the machine does not stand still.
  const int64_t n_tokens = room_for_kv / 50 * 49 / std::max<int64_t>(plan.kv_bytes_per_token, 1);
  const int64_t n_whole_blocks = n_tokens / kBlockLen * kBlockLen;
  const bool holds_context = context_len > 0 && n_whole_blocks >= context_len;
  if (n_whole_blocks > 0) {
    return make_error("{}: {} {} fits", numbers, holds_context ? "--kv-cache-tokens" : "--ctx",
                      n_whole_blocks);
  }
  return make_error("{}: no context fits, a smaller or more quantised model would", numbers);
}

}  // namespace forge::engine
