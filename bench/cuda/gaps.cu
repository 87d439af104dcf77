// What it costs to go from one kernel to the next: a launch, a node of a graph, a launch that may
// overlap its predecessor (programmatic dependent launch), and a barrier of all blocks inside one
// kernel.
//
// Each is a chain of kernels that do nothing but wait for the one before; the time of a chain of 2n
// less that of n, over n, leaves out what starting and ending the chain costs. One block, and one
// block per multiprocessor.
#include "bench/cuda/measure.h"

namespace forge::bench {
namespace {

constexpr int kThreads = 256;
constexpr int kChain = 200;
constexpr int kRepeats = 15;

/// Writes so that it is not empty to the device; 0 in and 0 out would be optimised by nobody, but
/// is never read either.
__global__ void step(uint32_t* at) {
  if (threadIdx.x == 0) at[blockIdx.x * 32] += 1;
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
#define FORGE_HAS_DEPENDENT_LAUNCH 1
#endif

/// As Forge's kernels do: the successor may start at once, and what the predecessor wrote is read
/// after the wait.
__global__ void overlapping_step(uint32_t* at) {
#if defined(FORGE_HAS_DEPENDENT_LAUNCH)
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
  if (threadIdx.x == 0) at[blockIdx.x * 32] += 1;
}

/// n barriers of all blocks, which are all resident (a cooperative launch). counter is 0 at the
/// start and goes up by gridDim.x at each.
__global__ void barriers(uint32_t* counter, int n) {
  for (int i = 1; i <= n; ++i) {
    __syncthreads();
    if (threadIdx.x == 0) {
      asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
      const uint32_t all = static_cast<uint32_t>(i) * gridDim.x;
      uint32_t seen = 0;
      do {
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(counter) : "memory");
      } while (seen < all);
    }
    __syncthreads();
  }
}

void launch_overlapping(cudaStream_t stream, int n_blocks, uint32_t* at) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(n_blocks));
  config.blockDim = dim3(kThreads);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  FORGE_CUDA(cudaLaunchKernelEx(&config, overlapping_step, at));
}

/// Seconds of a recorded chain, its launch by the host included.
template <typename Launch>
double graph_seconds(cudaStream_t stream, int n, const Launch& launch) {
  cudaGraph_t graph;
  cudaGraphExec_t runnable;
  FORGE_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
  for (int i = 0; i < n; ++i) launch();
  FORGE_CUDA(cudaStreamEndCapture(stream, &graph));
  FORGE_CUDA(cudaGraphInstantiate(&runnable, graph, 0));
  const double seconds =
      median_seconds(stream, kRepeats, [&] { FORGE_CUDA(cudaGraphLaunch(runnable, stream)); });
  FORGE_CUDA(cudaGraphExecDestroy(runnable));
  FORGE_CUDA(cudaGraphDestroy(graph));
  return seconds;
}

/// Of one link of a chain.
template <typename Seconds>
double per_link(const Seconds& seconds_of) {
  return (seconds_of(2 * kChain) - seconds_of(kChain)) / kChain;
}

std::string blocks(int n) {
  return std::to_string(n) + (n == 1 ? " block" : " blocks") + " of 256 threads";
}

void measure_chains(const Card& card, cudaStream_t stream, uint32_t* at, int n_blocks) {
  const auto plain = [&] { step<<<n_blocks, kThreads, 0, stream>>>(at); };
  const auto overlapping = [&] { launch_overlapping(stream, n_blocks, at); };
  const std::string suffix = n_blocks == 1 ? "" : "_full";
  print("launch_gap" + suffix, per_link([&](int n) {
          return median_seconds(stream, kRepeats, [&] {
            for (int i = 0; i < n; ++i) plain();
          });
        }),
        "s", blocks(n_blocks) + ", one launch after the other in a stream");
  print("graph_node_gap" + suffix, per_link([&](int n) { return graph_seconds(stream, n, plain); }),
        "s", blocks(n_blocks) + ", nodes of a graph in a chain");
  if (card.compute_capability < 90) {
    print_missing("dependent_launch_gap" + suffix, "needs compute capability 9.0");
    return;
  }
  print("dependent_launch_gap" + suffix,
        per_link([&](int n) { return graph_seconds(stream, n, overlapping); }), "s",
        blocks(n_blocks) + ", nodes of a graph that overlap (programmatic dependent launch)");
}

void measure_barrier(const Card& card, cudaStream_t stream, uint32_t* counter) {
  const auto seconds_of = [&](int n) {
    return median_seconds(stream, kRepeats, [&] {
      FORGE_CUDA(cudaMemsetAsync(counter, 0, sizeof(uint32_t), stream));
      void* arguments[] = {&counter, &n};
      FORGE_CUDA(cudaLaunchCooperativeKernel(reinterpret_cast<const void*>(barriers),
                                             dim3(static_cast<unsigned>(card.n_processors)),
                                             dim3(kThreads), arguments, 0, stream));
    });
  };
  print("grid_barrier", per_link(seconds_of), "s",
        blocks(card.n_processors) + ", one counter in L2");
}

}  // namespace

void measure_gaps(const Card& card, cudaStream_t stream) {
  uint32_t* at = nullptr;
  const size_t n_words = static_cast<size_t>(card.n_processors) * 32;
  FORGE_CUDA(cudaMalloc(&at, n_words * sizeof(uint32_t)));
  fill_random(at, n_words, 3, stream);
  measure_chains(card, stream, at, 1);
  measure_chains(card, stream, at, card.n_processors);
  measure_barrier(card, stream, at);
  FORGE_CUDA(cudaFree(at));
}

}  // namespace forge::bench
