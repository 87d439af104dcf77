// cuBLASLt on one device: products of 16-bit rows into f32 sums.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "forge/base/result.h"
#include "forge/kernels/cuda/cublaslt/api.h"
#include "forge/kernels/cuda/runtime/stream.h"

namespace forge::models::cuda {

/// sums (n_tokens, n_rows) = x (n_tokens, columns) W (n_rows, columns)^T. Strides in values; W and
/// x in 16 bits, sums in f32. Rows are 16-byte aligned.
struct ProductShape {
  kernels::cuda::cublaslt::DataType type = kernels::cuda::cublaslt::kBf16;
  int32_t n_rows = 0;
  int32_t columns = 0;
  int32_t n_tokens = 0;
  int64_t weight_stride = 0;
  int64_t x_stride = 0;
  int64_t sums_stride = 0;
};
struct ProductData {
  const void* weight = nullptr;
  const void* x = nullptr;
  float* sums = nullptr;
  std::byte* workspace = nullptr;  // kLibraryWorkspaceBytes, 256-byte aligned
};

/// What NVIDIA recommends for Hopper and newer, and more than it recommends for older ones ("cuBLAS
/// Library", cublasSetWorkspace). Fixed, so that recorded products stay valid.
inline constexpr int64_t kLibraryWorkspaceBytes = int64_t{32} << 20;

/// An open library. Movable; one thread. Errors are one line each.
class ProductLibrary {
 public:
  /// Opens it for the stream's device. Fails where it is not installed or cannot start, and says
  /// what to do.
  [[nodiscard]] static Result<ProductLibrary> open(kernels::cuda::Stream& stream);
  ProductLibrary(ProductLibrary&& other) noexcept;
  ProductLibrary& operator=(ProductLibrary&& other) noexcept;
  ~ProductLibrary();

  /// 130100 is 13.1.0.
  [[nodiscard]] int64_t version() const { return version_; }
  [[nodiscard]] std::string version_text() const;

  /// Algorithms for this shape, those that the library thinks fastest first; at least one.
  [[nodiscard]] Result<std::vector<kernels::cuda::cublaslt::Algorithm>> candidates(
      const ProductShape& shape) const;
  /// Whether the algorithm computes this shape within the workspace.
  [[nodiscard]] bool runs(const ProductShape& shape,
                          const kernels::cuda::cublaslt::Algorithm& algorithm) const;
  /// Queues the product. Where it fails nothing has been queued.
  [[nodiscard]] Status multiply(kernels::cuda::Stream& stream, const ProductShape& shape,
                                const ProductData& data,
                                const kernels::cuda::cublaslt::Algorithm& algorithm) const;

 private:
  class Description;
  ProductLibrary() = default;

  kernels::cuda::cublaslt::Api api_;
  kernels::cuda::cublaslt::Handle handle_ = nullptr;
  int64_t version_ = 0;
};

}  // namespace forge::models::cuda
