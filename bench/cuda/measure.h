// What the parts of the ceilings program share: checked calls, a device, medians of event times,
// lines of JSON.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace forge::bench {

/// Ends the program with the place and CUDA's words: later calls would fail for the same reason.
inline void check(cudaError_t error, const char* call, const char* file, int line) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s:%d: %s: %s\n", file, line, call, cudaGetErrorString(error));
  std::exit(1);
}
#define FORGE_CUDA(call) ::forge::bench::check((call), #call, __FILE__, __LINE__)

struct Card {
  int n_processors = 0;
  int compute_capability = 0;  // 90 is 9.0
  size_t l2_bytes = 0;
  size_t free_bytes = 0;  // at the start
};

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Seconds between two events around what `work` queues on the stream; the median of n_repeats,
/// after one that does not count.
template <typename Work>
double median_seconds(cudaStream_t stream, int n_repeats, const Work& work) {
  cudaEvent_t first;
  cudaEvent_t last;
  FORGE_CUDA(cudaEventCreate(&first));
  FORGE_CUDA(cudaEventCreate(&last));
  std::vector<double> seconds;
  for (int i = -1; i < n_repeats; ++i) {
    FORGE_CUDA(cudaEventRecord(first, stream));
    work();
    FORGE_CUDA(cudaEventRecord(last, stream));
    FORGE_CUDA(cudaEventSynchronize(last));
    FORGE_CUDA(cudaGetLastError());
    float ms = 0.0f;
    FORGE_CUDA(cudaEventElapsedTime(&ms, first, last));
    if (i >= 0) seconds.push_back(ms * 1e-3);
  }
  FORGE_CUDA(cudaEventDestroy(first));
  FORGE_CUDA(cudaEventDestroy(last));
  return median(seconds);
}

/// One line of output. detail has no quotes in it.
inline void print(const std::string& name, double value, const char* unit,
                  const std::string& detail = "") {
  std::printf("{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"detail\": \"%s\"}\n",
              name.c_str(), value, unit, detail.c_str());
  std::fflush(stdout);
}

/// Something that cannot be measured here, and why.
inline void print_missing(const std::string& name, const std::string& reason) {
  std::printf("{\"name\": \"%s\", \"value\": null, \"unit\": \"\", \"detail\": \"%s\"}\n",
              name.c_str(), reason.c_str());
  std::fflush(stdout);
}

/// Random bits, another number for each word: nothing is timed on zeros. n_words of 32 bits.
void fill_random(void* to, size_t n_words, uint32_t seed, cudaStream_t stream);
/// Random bf16 values around 0, of either sign.
void fill_random_bf16(void* to, size_t n_values, uint32_t seed, cudaStream_t stream);

void measure_bandwidth(const Card& card, cudaStream_t stream);
void measure_gaps(const Card& card, cudaStream_t stream);
void measure_products(const Card& card, cudaStream_t stream);

}  // namespace forge::bench
