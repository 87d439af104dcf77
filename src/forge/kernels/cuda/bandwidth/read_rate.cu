// Reads all of an array, four loads of 16 bytes under way in each thread.
#include "forge/kernels/cuda/bandwidth/read_rate.h"

#include <algorithm>

#include "forge/kernels/cuda/device/memory.h"
#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/runtime/memory.h"

namespace forge::kernels::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kLoads = 4;
constexpr int64_t kRoundBytes = int64_t{kThreads} * kLoads * 16;  // of a block

FORGE_KERNEL(kThreads, 2) read_all(const std::byte* from, int64_t n_rounds, uint32_t* sums) {
  wait_for_predecessor();
  uint32_t sum = 0;
  for (int64_t round = block_x(); round < n_rounds; round += grid_x()) {
    Words4 words[kLoads];
    FORGE_UNROLL
    for (int i = 0; i < kLoads; ++i) {
      words[i] = load_weights16(from + round * kRoundBytes +
                                (int64_t{i} * kThreads + thread_index()) * 16);
    }
    FORGE_UNROLL
    for (int i = 0; i < kLoads; ++i) {
      sum += words[i].w[0] ^ words[i].w[1] ^ words[i].w[2] ^ words[i].w[3];
    }
  }
  sums[block_x() * kThreads + thread_index()] = sum;
}

}  // namespace

Result<std::vector<double>> measure_read_rates(int32_t device, int64_t bytes, int32_t n_passes) {
  FORGE_TRY(const DeviceInfo info, open_device(device));
  const int32_t n_blocks = info.n_processors * 2;
  const int64_t n_rounds = std::max<int64_t>(bytes / kRoundBytes, 1);
  FORGE_TRY(DeviceMemory memory,
            DeviceMemory::allocate(device, n_rounds * kRoundBytes, "measuring the bandwidth"));
  FORGE_TRY(DeviceMemory sums,
            DeviceMemory::allocate(device, int64_t{n_blocks} * kThreads * 4, "sums"));
  FORGE_TRY(Stream stream, Stream::create(device));
  FORGE_TRY(Event begin, Event::create(device, Event::Kind::kTiming));
  FORGE_TRY(Event end, Event::create(device, Event::Kind::kTiming));
  FORGE_TRY_STATUS(stream.fill(memory.data(), 0x5A, memory.bytes()));
  std::vector<double> rates;
  for (int32_t pass = -1; pass < n_passes; ++pass) {
    FORGE_TRY_STATUS(begin.record(stream));
    FORGE_TRY_STATUS(launch(stream, {.name = "read_all", .grid = {n_blocks}, .n_threads = kThreads},
                            read_all, static_cast<const std::byte*>(memory.data()), n_rounds,
                            reinterpret_cast<uint32_t*>(sums.data())));
    FORGE_TRY_STATUS(end.record(stream));
    FORGE_TRY_STATUS(end.wait());
    FORGE_TRY(const double seconds, Event::seconds_between(begin, end));
    if (pass >= 0) rates.push_back(static_cast<double>(memory.bytes()) / seconds);
  }
  return rates;
}

}  // namespace forge::kernels::cuda
