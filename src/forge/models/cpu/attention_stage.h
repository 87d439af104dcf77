// The attention of a step: its cache, and how the work is cut into items.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "forge/kernels/cpu/kernel_table.h"
#include "forge/models/cpu/decoder_layout.h"
#include "forge/tensor/paged_batch.h"

namespace forge::models::cpu {

/// An item is one KV head of one sequence and some of its rows. A step of few rows is cut by spans
/// of 512 positions too, so that one long sequence keeps every worker busy; whoever finishes a head
/// last merges its partial results. How a step is cut never changes a result's bits.
class AttentionStage {
 public:
  /// kv: the cache of all layers, zero at first.
  AttentionStage(const ModelSpec& spec, const DecoderOptions& options,
                 const kernels::cpu::KernelTable& table, std::byte* kv);

  /// Cuts a batch into items; it must stay alive during the step.
  void begin(const PagedBatch& batch);
  [[nodiscard]] int32_t n_items() const { return static_cast<int32_t>(items_.size()); }
  /// Whether run() also quantises: heads fall on groups of 32 elements.
  [[nodiscard]] bool quantizes() const { return heads_dim_ % kernels::cpu::kSubLen == 0; }

  /// Keys and values (f32, after RoPE) of all rows of the batch for one KV head: row t at k + t *
  /// stride and v + t * stride.
  void append(int32_t layer, int32_t kv_head, const float* k, const float* v, int64_t stride) const;
  /// Queries in buffers.q, results to buffers.attended and, in the forms `kinds`, heads_out.
  void run(int32_t layer, int32_t item, int worker, const DecoderBuffers& buffers, KindSet kinds);

  /// Floats for partial results that buffers.partials must hold.
  [[nodiscard]] static int64_t partial_floats(const ModelSpec& spec, const DecoderOptions& options);

 private:
  struct Item {
    int32_t sequence;
    int32_t kv_head;
    int32_t first_row;  // of the batch
    int32_t n_rows;
    int32_t span;  // of a split item; -1: all spans
  };

  void add_items(int32_t sequence, bool splits);
  void run_span(const Item& item, kernels::cpu::AttentionItem task, int32_t first_span,
                const DecoderBuffers& buffers, KindSet kinds);
  void quantize(const Item& item, const DecoderBuffers& buffers, KindSet kinds) const;
  [[nodiscard]] kernels::cpu::KvHead kv_head(int32_t layer, int32_t head,
                                             const SequenceRows& sequence) const;

  const ModelSpec& spec_;
  const kernels::cpu::KernelTable& table_;
  const kernels::cpu::KvType type_;
  std::byte* kv_;
  int64_t head_block_bytes_;
  int64_t layer_bytes_;
  int32_t group_;
  int64_t heads_dim_;  // group * head_dim
  int32_t max_spans_;
  const PagedBatch* batch_ = nullptr;
  std::vector<Item> items_;
  std::unique_ptr<std::atomic<int32_t>[]> finished_;  // spans of (row, KV head) that are done
};

}  // namespace forge::models::cpu
