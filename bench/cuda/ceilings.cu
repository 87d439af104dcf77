// What this NVIDIA device can do at most, measured: bandwidth of reading and copying, the rate of
// bf16 products, and what a launch, a graph's node, an overlapping launch and a barrier of the
// whole grid cost. One JSON object a line:
//
//   {"name": "read", "value": 4.1e+12, "unit": "B/s", "detail": "264 blocks of 512 threads"}
//
// Reads and writes memory of its own only, at the clocks that it finds. Built alone:
//   nvcc -std=c++20 -O3 -arch=sm_90a -I. -Isrc -o ceilings bench/cuda/*.cu -ldl
#include <cstring>

#include "bench/cuda/measure.h"

namespace forge::bench {
namespace {

constexpr int kThreads = 256;

/// A mix of an index (Steele, Lea, Flood 2014: the finaliser of SplitMix, 32 bits).
__device__ uint32_t mixed(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352Du;
  x = (x ^ (x >> 15)) * 0x846CA68Bu;
  return x ^ (x >> 16);
}

__global__ void write_random(uint32_t* to, size_t n, uint32_t seed) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {
    to[i] = mixed(static_cast<uint32_t>(i) ^ mixed(seed + static_cast<uint32_t>(i >> 32)));
  }
}

/// Pairs of bf16 from 2^-8 to 2^-1, with random signs and fractions.
__global__ void write_random_bf16(uint32_t* to, size_t n_pairs, uint32_t seed) {
  const size_t step = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n_pairs;
       i += step) {
    const uint32_t bits = mixed(static_cast<uint32_t>(i) ^ mixed(seed));
    const uint32_t exponents = 0x3B803B80u + ((bits >> 4) & 0x03800380u);
    to[i] = exponents | (bits & 0x807F807Fu);
  }
}

}  // namespace

void fill_random(void* to, size_t n_words, uint32_t seed, cudaStream_t stream) {
  write_random<<<4096, kThreads, 0, stream>>>(static_cast<uint32_t*>(to), n_words, seed);
  FORGE_CUDA(cudaGetLastError());
}

void fill_random_bf16(void* to, size_t n_values, uint32_t seed, cudaStream_t stream) {
  write_random_bf16<<<4096, kThreads, 0, stream>>>(static_cast<uint32_t*>(to), n_values / 2, seed);
  FORGE_CUDA(cudaGetLastError());
}

}  // namespace forge::bench

int main(int n_arguments, char** arguments) {
  using namespace forge::bench;
  if (n_arguments > 1 && std::strcmp(arguments[1], "--help") == 0) {
    std::puts("ceilings: measures what the first NVIDIA device can do; JSON lines");
    return 0;
  }
  Card card;
  size_t total = 0;
  cudaDeviceProp device;
  FORGE_CUDA(cudaSetDevice(0));
  FORGE_CUDA(cudaGetDeviceProperties(&device, 0));
  FORGE_CUDA(cudaMemGetInfo(&card.free_bytes, &total));
  card.n_processors = device.multiProcessorCount;
  card.compute_capability = device.major * 10 + device.minor;
  card.l2_bytes = static_cast<size_t>(device.l2CacheSize);
  cudaStream_t stream;
  FORGE_CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  measure_bandwidth(card, stream);
  measure_gaps(card, stream);
  measure_products(card, stream);
  FORGE_CUDA(cudaStreamDestroy(stream));
  return 0;
}
