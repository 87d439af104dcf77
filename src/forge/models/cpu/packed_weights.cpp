#include "forge/models/cpu/packed_weights.h"

#include <algorithm>
#include <utility>

#include "forge/base/mapped_file.h"
#include "forge/base/work_ranges.h"
#include "forge/kernels/cpu/pack.h"
#include "forge/models/cpu/weight_type.h"
#include "forge/tensor/decode.h"
#include "forge/tensor/encode.h"

namespace forge::models::cpu {
namespace {

/// Packed bytes of a chunk: a huge page, so that few are shared by two workers.
constexpr int64_t kChunkBytes = 2 * 1024 * 1024;

/// A matrix to pack, and where its description goes.
struct Job {
  const TensorView* source;
  PackedMatrix* packed;
};

/// All matrices in the order of a step, so that memory is read in one direction.
std::vector<Job> jobs(const ModelWeights& weights, PackedWeights& packed) {
  std::vector<Job> all;
  packed.layers.resize(weights.layers.size());
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    const LayerWeights& from = weights.layers[i];
    PackedLayer& to = packed.layers[i];
    all.insert(all.end(), {{&from.attn_q, &to.q},
                           {&from.attn_k, &to.k},
                           {&from.attn_v, &to.v},
                           {&from.attn_output, &to.output},
                           {&from.ffn_gate, &to.gate},
                           {&from.ffn_up, &to.up},
                           {&from.ffn_down, &to.down}});
  }
  all.push_back({&weights.output, &packed.head});
  return all;
}

/// Rows of the panels of a share.
void release(const TensorView& source, ChunkRange share) {
  const int64_t begin = share.begin * kernels::cpu::kPanelRows;
  const int64_t end = std::min<int64_t>(share.end * kernels::cpu::kPanelRows, source.rows());
  release_pages({source.row(begin), static_cast<size_t>((end - begin) * source.bytes_per_row())});
}

/// Panels [begin, end) of a matrix to out, converted to the packed type panel by panel.
void convert_panels(const TensorView& source, const PackedMatrix& packed, int32_t begin,
                    int32_t end, std::byte* out) {
  if (packed.dtype == source.dtype) return kernels::cpu::pack_panels(source, begin, end, out);
  // A panel's rows are encoded in one go: the encoders search several blocks at a time.
  std::vector<float> rows(static_cast<size_t>(kernels::cpu::kPanelRows * packed.k));
  TensorView panel{
      .dtype = packed.dtype, .shape = Shape{kernels::cpu::kPanelRows, packed.k}, .data = nullptr};
  const int64_t row_bytes = panel.bytes_per_row();
  std::vector<std::byte> encoded(static_cast<size_t>(kernels::cpu::kPanelRows * row_bytes));
  panel.data = encoded.data();
  for (int32_t p = begin; p < end; ++p, out += packed.panel_bytes) {
    const int64_t first = int64_t{p} * kernels::cpu::kPanelRows;
    const int64_t n = std::min<int64_t>(kernels::cpu::kPanelRows, packed.rows - first);
    for (int64_t r = 0; r < n; ++r) decode_row(source, first + r, rows.data() + r * packed.k);
    encode(packed.dtype, rows.data(), n * packed.k, encoded.data());
    panel.shape = Shape{n, packed.k};
    kernels::cpu::pack_panels(panel, 0, 1, out);
  }
}

}  // namespace

PackedMatrix describe_packed(const TensorView& matrix, std::optional<DType> quantize) {
  const DType dtype = packed_type(matrix.dtype, matrix.columns(), quantize);
  return {.dtype = dtype,
          .rows = matrix.rows(),
          .k = matrix.columns(),
          .panel_bytes = kernels::cpu::panel_bytes(dtype, matrix.columns())};
}

PackedWeights lay_out_weights(const ModelWeights& weights, std::optional<DType> quantize,
                              const std::byte* base) {
  PackedWeights packed;
  for (const Job& job : jobs(weights, packed)) {
    *job.packed = describe_packed(*job.source, quantize);
    job.packed->data = base == nullptr ? nullptr : base + packed.bytes;
    packed.bytes += job.packed->bytes();
  }
  return packed;
}

Result<PackedWeights> pack_weights(const ModelWeights& weights, WeightSource source,
                                   std::optional<DType> quantize, ThreadTeam& team) {
  const int64_t bytes = lay_out_weights(weights, quantize, nullptr).bytes;
  FORGE_TRY(HugeBuffer memory, HugeBuffer::allocate(static_cast<size_t>(bytes)));
  PackedWeights packed = lay_out_weights(weights, quantize, memory.data());
  packed.memory = std::move(memory);
  const std::vector<Job> all = jobs(weights, packed);
  WorkRanges ranges(team.n_threads());
  team.run(static_cast<int>(all.size()), [&](int stage, int worker) {
    const Job& job = all[static_cast<size_t>(stage)];
    const PackedMatrix& matrix = *job.packed;
    const auto panels_of_chunk =
        static_cast<int32_t>(std::max<int64_t>(1, kChunkBytes / matrix.panel_bytes));
    const int32_t n_chunks = (matrix.n_panels() + panels_of_chunk - 1) / panels_of_chunk;
    std::byte* out = packed.memory.data() + (matrix.data - packed.memory.data());
    while (const auto chunk = ranges.next(stage, worker, n_chunks)) {
      const int32_t begin = *chunk * panels_of_chunk;
      const int32_t end = std::min(begin + panels_of_chunk, matrix.n_panels());
      convert_panels(*job.source, matrix, begin, end, out + begin * matrix.panel_bytes);
      if (source == WeightSource::kMappedFile) release(*job.source, {begin, end});
    }
  });
  return packed;
}

void release_sources(const ModelWeights& weights) {
  PackedWeights unused;
  for (const Job& job : jobs(weights, unused)) {
    release_pages({job.source->data, static_cast<size_t>(job.source->bytes())});
  }
}

}  // namespace forge::models::cpu
