// Attention of a few rows, queued by the host: how long sequences are split.
#include <algorithm>

#include "forge/kernels/cuda/attention/dispatch.h"
#include "forge/kernels/cuda/attention/launch_few.h"
#include "forge/kernels/cuda/attention/launchers.h"

namespace forge::kernels::cuda {

extern template Status launch_few<Bf16, KvType::kPlain>(Stream&, const AttentionTask&, FewShape,
                                                        int32_t);
extern template Status launch_few<Bf16, KvType::kFp8>(Stream&, const AttentionTask&, FewShape,
                                                      int32_t);
extern template Status launch_few<Bf16, KvType::kInt8>(Stream&, const AttentionTask&, FewShape,
                                                       int32_t);
extern template Status launch_few<F16, KvType::kPlain>(Stream&, const AttentionTask&, FewShape,
                                                       int32_t);
extern template Status launch_few<F16, KvType::kFp8>(Stream&, const AttentionTask&, FewShape,
                                                     int32_t);
extern template Status launch_few<F16, KvType::kInt8>(Stream&, const AttentionTask&, FewShape,
                                                      int32_t);
extern template Status launch_few<Tf32, KvType::kPlain>(Stream&, const AttentionTask&, FewShape,
                                                        int32_t);
extern template Status launch_few<F32, KvType::kPlain>(Stream&, const AttentionTask&, FewShape,
                                                       int32_t);

namespace {

/// Blocks of 4 warps that a processor should have to keep loads under way; those that find nothing
/// to do cost little.
constexpr int32_t kBlocksPerProcessor = 8;

FewShape shape_of(const AttentionTask& task) {
  const int32_t n_rows = task.max_rows * (task.heads.n_heads / task.heads.n_kv_heads);
  int32_t max_spans = (task.max_kv_len + kSpan - 1) / kSpan;
  if (task.window > 0) {
    // Whatever the window's place, it meets one span more than it could fill.
    max_spans = std::min(max_spans, (task.window + task.max_rows - 2) / kSpan + 2);
  }
  return {.row_groups = (n_rows + kPackedRows - 1) / kPackedRows,
          .n_rows = std::min(n_rows, kPackedRows),
          .max_spans = max_spans};
}

template <typename Product>
Status launch_in(Stream& stream, const AttentionTask& task, const FewShape& shape, int32_t splits) {
  if constexpr (Product::kPerWord == 1) {
    if (task.kv.type != KvType::kPlain) return unknown_kv_type();
    return launch_few<Product, KvType::kPlain>(stream, task, shape, splits);
  } else {
    switch (task.kv.type) {
      case KvType::kPlain:
        return launch_few<Product, KvType::kPlain>(stream, task, shape, splits);
      case KvType::kFp8:
        return launch_few<Product, KvType::kFp8>(stream, task, shape, splits);
      case KvType::kInt8:
        return launch_few<Product, KvType::kInt8>(stream, task, shape, splits);
    }
    return unknown_kv_type();
  }
}

}  // namespace

AttentionWorkspace attention_few_workspace(const AttentionTask& bounds) {
  const FewShape shape = shape_of(bounds);
  const int64_t n_groups = int64_t{bounds.n_sequences} * shape.row_groups * bounds.heads.n_kv_heads;
  const int32_t head_dim = padded_head_dim(bounds.heads.head_dim);
  return {.n_partials = n_groups * shape.max_spans * packed_sums_floats(shape.n_rows, head_dim),
          .n_counters = n_groups};
}

Status launch_attention_few(Stream& stream, const DeviceInfo& device, const AttentionTask& task) {
  const FewShape shape = shape_of(task);
  const int32_t n_groups = task.n_sequences * shape.row_groups;
  const int32_t wanted = device.n_processors * kBlocksPerProcessor;
  const int32_t n_pairs = n_groups * task.heads.n_kv_heads;
  const int32_t splits = std::clamp((wanted + n_pairs - 1) / n_pairs, 1, shape.max_spans);
  return with_product_type(task.kv.product_type, [&](auto product_type) {
    return launch_in<decltype(product_type)>(stream, task, shape, splits);
  });
}

}  // namespace forge::kernels::cuda
