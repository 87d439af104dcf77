// Compiled once per ISA level: attention of one item for every type of the KV cache, and the merge.
#include "forge/kernels/cpu/level/attention_item.h"
#include "forge/kernels/cpu/level/entries.h"

namespace forge::kernels::cpu::FORGE_LEVEL {

void attention_bf16(const AttentionItem& item) { attend_item<Bf16Kv>(item); }
void attention_f16(const AttentionItem& item) { attend_item<F16Kv>(item); }
void attention_f32(const AttentionItem& item) { attend_item<F32Kv>(item); }
void attention_int8(const AttentionItem& item) { attend_item<Int8Kv>(item); }

void attention_merge(const AttentionMerge& task) {
  const int64_t padded_dim = (task.head_dim + 15) / 16 * 16;
  alignas(64) float values[kMaxHeadDim];
  for (int64_t c = 0; c < int64_t{task.n_rows} * task.group; ++c) {
    Merged merged{kLowest, 0.0f, values};
    for (int64_t s = 0; s < task.n_spans; ++s) {
      const float* partial =
          task.partials + c * task.partial_column_stride + s * task.partial_span_stride;
      if (partial[1] == 0.0f) continue;
      merge_partial(merged, partial[0], partial[1], partial + kPartialHeader, padded_dim);
    }
    write_result(merged, task.head_dim,
                 task.out + c / task.group * task.out_stride + c % task.group * task.head_dim);
  }
}

}  // namespace forge::kernels::cpu::FORGE_LEVEL
