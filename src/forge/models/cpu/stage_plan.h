// Which chunks of which matrices a stage computes.
#pragma once

#include <cstdint>
#include <vector>

#include "forge/models/cpu/packed_weights.h"

namespace forge::models::cpu {

/// Panels [begin, end) of matrix `matrix` of its stage.
struct PanelChunk {
  int32_t matrix = 0;
  int32_t begin = 0;
  int32_t end = 0;
};

/// A stage's chunks in the order of memory. Chunks are whole multiples of `unit` panels (but for a
/// matrix's last), so that heads and groups of 32 rows stay with one worker.
class StagePlan {
 public:
  /// target_panels: panels of a chunk to aim for.
  void add(int32_t matrix, int32_t n_panels, int32_t unit, int32_t target_panels);
  /// Panels of `matrix` whose bytes are about target_bytes.
  [[nodiscard]] static int32_t panels_of_bytes(const PackedMatrix& matrix, int64_t target_bytes);

  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(chunks_.size()); }
  [[nodiscard]] const PanelChunk& operator[](int32_t i) const {
    return chunks_[static_cast<size_t>(i)];
  }
  [[nodiscard]] int32_t largest_chunk() const { return largest_; }

 private:
  std::vector<PanelChunk> chunks_;
  int32_t largest_ = 0;  // panels
};

/// Chunks of every stage of a layer, and of the head, for one kind of step.
struct LayerPlan {
  StagePlan qkv;      // matrices 0, 1, 2
  StagePlan output;   // matrix 0
  StagePlan gate_up;  // panels of gate, and the same ones of up
  StagePlan down;     // matrix 0
};

}  // namespace forge::models::cpu
