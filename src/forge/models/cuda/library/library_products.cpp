#include "forge/models/cuda/library/library_products.h"

#include <fmt/format.h>

#include <algorithm>

#include "forge/kernels/cuda/matmul/finish_sums.h"
#include "forge/kernels/cuda/matmul/matmul.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "forge/kernels/cuda/weights/layout.h"
#include "forge/kernels/cuda/weights/pack.h"
#include "forge/models/cuda/library/product_slabs.h"

namespace forge::models::cuda {

using kernels::cuda::kRowTile;
using kernels::cuda::MatmulTask;
using kernels::cuda::Stream;
namespace lt = kernels::cuda::cublaslt;

LibraryScratch lay_out_library_scratch(std::span<const MatmulTask> products, int32_t max_tokens,
                                       DeviceArena& arena) {
  int64_t sums = 0;
  int64_t unpacked = 0;
  for (const MatmulTask& task : products) {
    const int64_t rows = slab_rows(task, max_tokens);
    if (!sums_lie_in_y(task)) sums = std::max(sums, rows * max_tokens);
    if (is_unpacked(task)) unpacked = std::max(unpacked, rows * task.weight.columns);
  }
  LibraryScratch scratch;
  scratch.sums = arena.take_array<float>(sums);
  scratch.unpacked = arena.take_array<uint16_t>(unpacked);
  scratch.workspace = arena.take(kLibraryWorkspaceBytes);
  return scratch;
}

ProductKey LibraryProducts::key_of(const MatmulTask& task) const {
  return {task.weight.kind, task.weight.rows, task.weight.columns,
          library_bucket(task.n_tokens, setup_.max_tokens)};
}

/// Where the slab's sums go, and their stride.
std::pair<float*, int64_t> LibraryProducts::sums_of(const MatmulTask& task, Slab slab) const {
  if (sums_lie_in_y(task)) return {static_cast<float*>(task.y) + slab.first_row, task.y_stride};
  return {setup_.scratch.sums, slab.n_rows};
}

ProductShape LibraryProducts::shape_of(const MatmulTask& task, Slab slab) const {
  return {.n_rows = slab.n_rows,
          .columns = task.weight.columns,
          .n_tokens = task.n_tokens,
          .weight_stride = task.weight.columns,
          .x_stride = task.x_stride,
          .sums_stride = sums_of(task, slab).second};
}

Status LibraryProducts::unpack(Stream& stream, const MatmulTask& task, Slab slab) {
  if (!is_unpacked(task)) return {};
  return kernels::cuda::unpack(stream, {.from = task.weight,
                                        .first_row = slab.first_row,
                                        .n_rows = slab.n_rows,
                                        .to = setup_.scratch.unpacked,
                                        .stride = task.weight.columns});
}

Status LibraryProducts::multiply(Stream& stream, const MatmulTask& task, Slab slab,
                                 const lt::Algorithm& algorithm) {
  const void* const rows = is_unpacked(task)
                               ? static_cast<const void*>(setup_.scratch.unpacked)
                               : task.weight.low + slab.first_row * task.weight.row_bytes;
  return library_.multiply(stream, shape_of(task, slab),
                           {.weight = rows,
                            .x = task.x,
                            .sums = sums_of(task, slab).first,
                            .workspace = setup_.scratch.workspace},
                           algorithm);
}

/// The same sums by Forge's own kernels.
Status LibraryProducts::multiply_here(Stream& stream, const MatmulTask& task, Slab slab) {
  const auto [sums, stride] = sums_of(task, slab);
  return kernels::cuda::matmul(
      stream, setup_.device,
      {.weight = kernels::cuda::rows_of(task.weight, slab.first_row, slab.n_rows),
       .n_rows = slab.n_rows,
       .x = task.x,
       .x_stride = task.x_stride,
       .n_tokens = task.n_tokens,
       .y = sums,
       .y_stride = stride});
}

Status LibraryProducts::run(Stream& stream, const MatmulTask& task, const ProductChoice& choice,
                            FunctionRef<Status(Slab slab, const Status& refused)> on_refusal) {
  for (int32_t first = 0; first < task.weight.rows; first += choice.slab_rows) {
    const Slab slab{first, std::min(choice.slab_rows, task.weight.rows - first)};
    const bool is_whole = slab.n_rows == choice.slab_rows;
    FORGE_TRY_STATUS(unpack(stream, task, slab));
    const Status status =
        multiply(stream, task, slab, is_whole ? choice.algorithm : choice.last_algorithm);
    if (!status.ok()) FORGE_TRY_STATUS(on_refusal(slab, status));
    const auto [sums, stride] = sums_of(task, slab);
    FORGE_TRY_STATUS(
        kernels::cuda::finish_sums(stream, {task, sums, stride, slab.first_row, slab.n_rows}));
  }
  return {};
}

Status LibraryProducts::matmul(Stream& stream, const MatmulTask& task) {
  const auto found = task.n_tokens < setup_.least_tokens ? table_.end() : table_.find(key_of(task));
  if (found == table_.end() || !is_library(found->second)) {
    return kernels::cuda::matmul(stream, setup_.device, task);
  }
  const kernels::cuda::Range range("cuBLASLt");
  Status refused;
  const auto compute_here = [&](Slab slab, const Status& status) -> Status {
    FORGE_TRY_STATUS(multiply_here(stream, task, slab));  // fails where the device is lost
    refused = status;
    return {};
  };
  FORGE_TRY_STATUS(run(stream, task, found->second, compute_here));
  if (!refused.ok()) {
    note(fmt::format("{}; Forge's own kernels compute it from now on", refused.error().message));
    table_.erase(found);
  }
  return {};
}

void LibraryProducts::note(std::string_view text) const {
  if (setup_.on_note) setup_.on_note(text);
}

}  // namespace forge::models::cuda
