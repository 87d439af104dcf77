// A model's matrices packed for the CPU kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "forge/base/huge_buffer.h"
#include "forge/base/mapped_file.h"
#include "forge/base/result.h"
#include "forge/base/thread_team.h"
#include "forge/kernels/cpu/packed_format.h"
#include "forge/models/weights.h"

namespace forge::models::cpu {

/// One packed matrix; the bytes belong to PackedWeights. Empty where the model has none.
struct PackedMatrix {
  DType dtype = DType::kF32;
  int64_t rows = 0;
  int64_t k = 0;
  int64_t panel_bytes = 0;
  const std::byte* data = nullptr;

  [[nodiscard]] int32_t n_panels() const {
    return static_cast<int32_t>(kernels::cpu::n_panels(rows));
  }
  [[nodiscard]] int64_t bytes() const { return n_panels() * panel_bytes; }
};

struct PackedLayer {
  PackedMatrix q, k, v, output, gate, up, down;
};

/// All matrices, one after another in the order of a step. Immutable once packed; any thread may
/// read.
struct PackedWeights {
  std::vector<PackedLayer> layers;
  PackedMatrix head;  // the output matrix, which is the embedding too where they are tied
  int64_t bytes = 0;  // of all of them
  HugeBuffer memory;  // where the bytes are, ...
  MappedFile file;    // ... unless they are in a packed file
};

/// Describes a model's matrices as they will be packed from `base` on, which may be nullptr.
[[nodiscard]] PackedWeights lay_out_weights(const ModelWeights& weights,
                                            std::optional<DType> quantize, const std::byte* base);

/// Where the tensors' bytes lie.
enum class WeightSource { kMappedFile, kMemory };

/// Packs all matrices, every worker about the share of each that it will read first. Pages of a
/// mapped file are handed back to the operating system as they are used up, so that memory peaks at
/// about one copy. Fails where there is no memory.
[[nodiscard]] Result<PackedWeights> pack_weights(const ModelWeights& weights, WeightSource source,
                                                 std::optional<DType> quantize, ThreadTeam& team);

/// Takes a mapped checkpoint's matrices out of resident memory for good, once the small tensors
/// between them have been read too: reading one page brings its neighbours back.
void release_sources(const ModelWeights& weights);

/// A matrix as it will be packed: no data yet.
[[nodiscard]] PackedMatrix describe_packed(const TensorView& matrix, std::optional<DType> quantize);

}  // namespace forge::models::cpu
