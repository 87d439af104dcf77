// The products of prompts by cuBLASLt where it is quicker than Forge's own kernels: what
// --fast-nondeterministic asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "forge/base/function_ref.h"
#include "forge/base/result.h"
#include "forge/kernels/cuda/matmul/task.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "forge/models/cuda/device_arena.h"
#include "forge/models/cuda/library/product_library.h"
#include "forge/models/cuda/library/product_table.h"

namespace forge::models::cuda {

/// From so many tokens of a step on a product may be the library's: twice the point at which the
/// matrix units of an H200 and not the reading of bf16 weights set the pace (790 TFLOP/s over 4.3
/// TB/s). With fewer, Forge's kernels read packed weights as they are. Not yet measured.
inline constexpr int32_t kLibraryTokens = 384;

/// What the library's products need beside the decoder's buffers.
struct LibraryScratch {
  float* sums = nullptr;         // of a slab, (n_tokens, rows)
  uint16_t* unpacked = nullptr;  // rows of a slab of quantised weights; null where there are none
  std::byte* workspace = nullptr;
};
/// For these products, of steps of up to max_tokens.
[[nodiscard]] LibraryScratch lay_out_library_scratch(
    std::span<const kernels::cuda::MatmulTask> products, int32_t max_tokens, DeviceArena& arena);

/// One thread. Nothing of it is chosen by time while requests run: prepare() measures, or reads
/// what was measured before; what it did not come to is computed by Forge's own kernels.
class LibraryProducts {
 public:
  struct Setup {
    kernels::cuda::DeviceInfo device;
    int32_t least_tokens = kLibraryTokens;
    int32_t max_tokens = 0;
    LibraryScratch scratch;
    /// What the library computes at all, quicker or not, however long measuring takes.
    bool takes_all = false;
    /// Else prepare() begins no further measurement after this.
    double measuring_seconds = 1.0;
    std::function<void(std::string_view)> on_note;
  };
  LibraryProducts(ProductLibrary library, Setup setup)
      : library_(std::move(library)), setup_(std::move(setup)) {}

  /// Chooses for all sizes of steps, the largest first. `products`: a step's products with so many
  /// tokens; they are run, so their buffers must be there and hold nothing that is needed. Notes
  /// what came of it.
  [[nodiscard]] Status prepare(
      kernels::cuda::Stream& stream,
      FunctionRef<std::vector<kernels::cuda::MatmulTask>(int32_t n_tokens)> products);

  /// y = finish(W x), as kernels::cuda::matmul() but for the order of sums. What the library
  /// refuses is computed by Forge's own kernels, from then on without asking again; a note says so.
  [[nodiscard]] Status matmul(kernels::cuda::Stream& stream, const kernels::cuda::MatmulTask& task);

  [[nodiscard]] const ProductTable& table() const { return table_; }

 private:
  /// Rows of W whose product is one call of the library.
  struct Slab {
    int32_t first_row;
    int32_t n_rows;
  };

  [[nodiscard]] ProductKey key_of(const kernels::cuda::MatmulTask& task) const;
  [[nodiscard]] ProductShape shape_of(const kernels::cuda::MatmulTask& task, Slab slab) const;
  [[nodiscard]] std::pair<float*, int64_t> sums_of(const kernels::cuda::MatmulTask& task,
                                                   Slab slab) const;
  Status unpack(kernels::cuda::Stream& stream, const kernels::cuda::MatmulTask& task, Slab slab);
  Status multiply(kernels::cuda::Stream& stream, const kernels::cuda::MatmulTask& task, Slab slab,
                  const kernels::cuda::cublaslt::Algorithm& algorithm);
  Status multiply_here(kernels::cuda::Stream& stream, const kernels::cuda::MatmulTask& task,
                       Slab slab);
  Status run(kernels::cuda::Stream& stream, const kernels::cuda::MatmulTask& task,
             const ProductChoice& choice,
             FunctionRef<Status(Slab slab, const Status& refused)> on_refusal);
  [[nodiscard]] bool still_runs(const kernels::cuda::MatmulTask& task,
                                const ProductChoice& choice) const;
  Result<kernels::cuda::cublaslt::Algorithm> quickest(kernels::cuda::Stream& stream,
                                                      const kernels::cuda::MatmulTask& task,
                                                      Slab slab);
  Result<ProductChoice> measure(kernels::cuda::Stream& stream,
                                const kernels::cuda::MatmulTask& task);
  [[nodiscard]] bool is_library(const ProductChoice& choice) const {
    return setup_.takes_all || choice.is_quicker();
  }
  void note(std::string_view text) const;

  ProductLibrary library_;
  Setup setup_;
  ProductTable table_;
};

}  // namespace forge::models::cuda
