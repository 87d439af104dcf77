// The rate of bf16 matrix products by cuBLASLt, opened at run time; where it is not installed, a
// line says so and tools/gpu_check asks PyTorch instead.
#include "bench/cuda/measure.h"
#include "forge/kernels/cuda/cublaslt/api.h"

namespace forge::bench {
namespace {

using namespace kernels::cuda::cublaslt;

constexpr size_t kWorkspaceBytes = size_t{64} << 20;
constexpr int kCandidates = 8;
constexpr int kRepeats = 9;

/// Row-major C (m, n) = A (m, k) * W (n, k)^T, which is column-major C^T = W^T * A^T. The rate of
/// the best candidate, in operations per second; 0 where the library refuses.
double rate(const Api& library, cudaStream_t stream, int64_t m, int64_t n, int64_t k) {
  void* a = nullptr;
  void* w = nullptr;
  void* c = nullptr;
  void* workspace = nullptr;
  FORGE_CUDA(cudaMalloc(&a, static_cast<size_t>(m * k) * 2));
  FORGE_CUDA(cudaMalloc(&w, static_cast<size_t>(n * k) * 2));
  FORGE_CUDA(cudaMalloc(&c, static_cast<size_t>(m * n) * 2));
  FORGE_CUDA(cudaMalloc(&workspace, kWorkspaceBytes));
  fill_random_bf16(a, static_cast<size_t>(m * k), 5, stream);
  fill_random_bf16(w, static_cast<size_t>(n * k), 6, stream);

  Handle handle = nullptr;
  Handle product = nullptr;
  Handle of_w = nullptr;
  Handle of_a = nullptr;
  Handle of_c = nullptr;
  Handle preference = nullptr;
  int status = library.create(&handle);
  if (status == 0) status = library.describe(&product, kComputeF32, kF32);
  if (status == 0)
    status = library.set_description(product, kTransposeA, &kTranspose, sizeof(kTranspose));
  if (status == 0)
    status = library.lay_out(&of_w, kBf16, static_cast<uint64_t>(k), static_cast<uint64_t>(n), k);
  if (status == 0)
    status = library.lay_out(&of_a, kBf16, static_cast<uint64_t>(k), static_cast<uint64_t>(m), k);
  if (status == 0)
    status = library.lay_out(&of_c, kBf16, static_cast<uint64_t>(n), static_cast<uint64_t>(m), n);
  if (status == 0) status = library.prefer(&preference);
  if (status == 0) {
    status = library.set_preference(preference, kMaxWorkspaceBytes, &kWorkspaceBytes,
                                    sizeof(kWorkspaceBytes));
  }
  Candidate found[kCandidates] = {};
  int n_found = 0;
  if (status == 0) {
    status = library.candidates(handle, product, of_w, of_a, of_c, of_c, preference, kCandidates,
                                found, &n_found);
  }
  const float one = 1.0f;
  const float zero = 0.0f;
  double best = 0.0;
  for (int i = 0; status == 0 && i < n_found; ++i) {
    int refused = 0;
    const double seconds = median_seconds(stream, kRepeats, [&] {
      refused |= library.multiply(handle, product, &one, w, of_w, a, of_a, &zero, c, of_c, c, of_c,
                                  &found[i].algorithm, workspace, kWorkspaceBytes, stream);
    });
    const double operations =
        2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
    if (refused == 0) best = std::max(best, operations / seconds);
  }
  for (void* memory : {a, w, c, workspace}) FORGE_CUDA(cudaFree(memory));
  return best;
}

}  // namespace

void measure_products(const Card& card, cudaStream_t stream) {
  Api library;
  if (const std::string why = library.open(); !why.empty()) {
    print_missing("bf16_products", "cuBLASLt cannot be opened: " + why);
    return;
  }
  // The largest product that takes little memory, and a prompt of 2048 tokens through the widest
  // matrix of an 8B model.
  const int64_t side = card.free_bytes > (size_t{4} << 30) ? 8192 : 4096;
  const std::string size = std::to_string(side);
  const struct {
    const char* name;
    int64_t m, n, k;
    std::string detail;
  } cases[] = {
      {"bf16_products", side, side, side, "cuBLASLt, " + size + " x " + size + " x " + size},
      {"bf16_products_2048", 2048, 28672, 4096, "cuBLASLt, 2048 tokens by 28672 x 4096"}};
  for (const auto& each : cases) {
    const double found = rate(library, stream, each.m, each.n, each.k);
    if (found > 0.0) {
      print(each.name, found, "op/s", each.detail);
    } else {
      print_missing(each.name, "cuBLASLt refuses this product");
    }
  }
}

}  // namespace forge::bench
