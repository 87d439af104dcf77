// Bandwidth of device memory: reading a buffer once, and copying one, both far larger than L2.
//
// Several numbers of blocks, and of loads that a thread has under way; the best median counts,
// since it is a ceiling.
#include "bench/cuda/measure.h"

namespace forge::bench {
namespace {

constexpr int kThreads = 512;
constexpr int kRepeats = 9;
// Each repeat takes a time that starts and ends of kernels (some 5 us) do not show in: 2 GiB at 4
// TB/s are 500 us.
constexpr size_t kMostBytes = size_t{2} << 30;

struct alignas(16) Words {
  uint32_t w[4];
};

/// As Forge reads weights: past L1, through the read-only path.
__device__ Words load(const Words* from) {
  Words v;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.w[0]), "=r"(v.w[1]), "=r"(v.w[2]), "=r"(v.w[3])
               : "l"(from));
  return v;
}

/// Every thread has NLoads loads under way. What it read is written nowhere, but the compiler
/// cannot know: the sum of random words hardly ever is `never`, and a write then does no harm.
template <int NLoads>
__global__ void __launch_bounds__(kThreads)
    read_all(const Words* from, size_t n, uint32_t never, uint32_t* sink) {
  const size_t step = static_cast<size_t>(gridDim.x) * kThreads * NLoads;
  uint32_t sum = 0;
  for (size_t at = static_cast<size_t>(blockIdx.x) * kThreads * NLoads + threadIdx.x; at < n;
       at += step) {
    Words v[NLoads];
#pragma unroll
    for (int i = 0; i < NLoads; ++i) v[i] = load(from + at + static_cast<size_t>(i) * kThreads);
#pragma unroll
    for (int i = 0; i < NLoads; ++i) sum += v[i].w[0] ^ v[i].w[1] ^ v[i].w[2] ^ v[i].w[3];
  }
  if (sum == never) *sink = sum;
}

template <int NLoads>
__global__ void __launch_bounds__(kThreads) copy_all(const Words* from, Words* to, size_t n) {
  const size_t step = static_cast<size_t>(gridDim.x) * kThreads * NLoads;
  for (size_t at = static_cast<size_t>(blockIdx.x) * kThreads * NLoads + threadIdx.x; at < n;
       at += step) {
    Words v[NLoads];
#pragma unroll
    for (int i = 0; i < NLoads; ++i) v[i] = load(from + at + static_cast<size_t>(i) * kThreads);
#pragma unroll
    for (int i = 0; i < NLoads; ++i) to[at + static_cast<size_t>(i) * kThreads] = v[i];
  }
}

struct Best {
  double rate = 0.0;
  std::string how;

  void offer(double other, const std::string& what) {
    if (other > rate) *this = {other, what};
  }
};

std::string shape(int n_blocks, int n_loads) {
  return std::to_string(n_blocks) + " blocks of " + std::to_string(kThreads) + " threads, " +
         std::to_string(n_loads) + " loads of 16 bytes each under way";
}

template <int NLoads>
void try_blocks(const Card& card, cudaStream_t stream, const Words* from, Words* to, size_t bytes,
                Best& read, Best& copy) {
  const size_t n = bytes / sizeof(Words);
  // The buffer is cut into tiles; as many blocks as tiles leaves the order to the device's
  // scheduler.
  const size_t n_tiles = n / (kThreads * NLoads);
  std::vector<int> counts = {static_cast<int>(n_tiles)};
  for (const int per_processor : {1, 2, 4, 8}) counts.push_back(per_processor * card.n_processors);
  for (const int n_blocks : counts) {
    const double read_seconds = median_seconds(stream, kRepeats, [&] {
      read_all<NLoads><<<n_blocks, kThreads, 0, stream>>>(from, n, 0x5EED5EEDu,
                                                          reinterpret_cast<uint32_t*>(to));
    });
    read.offer(static_cast<double>(bytes) / read_seconds, shape(n_blocks, NLoads));
    const double copy_seconds = median_seconds(stream, kRepeats, [&] {
      copy_all<NLoads><<<n_blocks, kThreads, 0, stream>>>(from, to, n);
    });
    copy.offer(2.0 * static_cast<double>(bytes) / copy_seconds, shape(n_blocks, NLoads));
  }
}

}  // namespace

void measure_bandwidth(const Card& card, cudaStream_t stream) {
  // Whole tiles of the most loads, so that no kernel needs a guard at its end.
  constexpr size_t kTile = size_t{kThreads} * 8 * sizeof(Words);
  const size_t bytes = std::min(kMostBytes, card.free_bytes / 4) / kTile * kTile;
  if (bytes < 8 * card.l2_bytes) {
    print_missing("read", "not enough free memory for a buffer much larger than L2");
    return;
  }
  Words* from = nullptr;
  Words* to = nullptr;
  FORGE_CUDA(cudaMalloc(&from, bytes));
  FORGE_CUDA(cudaMalloc(&to, bytes));
  fill_random(from, bytes / 4, 1, stream);
  fill_random(to, bytes / 4, 2, stream);
  Best read;
  Best copy;
  try_blocks<2>(card, stream, from, to, bytes, read, copy);
  try_blocks<4>(card, stream, from, to, bytes, read, copy);
  try_blocks<8>(card, stream, from, to, bytes, read, copy);
  const double seconds = median_seconds(stream, kRepeats, [&] {
    FORGE_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
  });
  copy.offer(2.0 * static_cast<double>(bytes) / seconds, "cudaMemcpyAsync");
  print("read", read.rate, "B/s", read.how);
  print("copy", copy.rate, "B/s", copy.how + "; bytes read and written");
  FORGE_CUDA(cudaFree(from));
  FORGE_CUDA(cudaFree(to));
}

}  // namespace forge::bench
