// The CUDA runtime of tests: devices whose memory is the host's and whose kernels run on the CPU.
//
// Streams are queues that nobody works off until somebody waits, so that what is read, freed or
// overwritten too early shows. Fresh memory is filled with 0xFF: NaN in every float type, -1 in
// every integer.
#pragma once

#include <cstdint>
#include <string>

namespace forge::fake_cuda {

/// What there is. Set before the first use; not thread-safe. Programs take it from the environment
/// too: FORGE_FAKE_CUDA="devices=2,memory=1048576,capability=75,fail_after=1000,failure=...", and
/// "driver=WHY" for a machine without one, "old_driver=12040" for one with a driver of CUDA 12.4.
struct Settings {
  int32_t n_devices = 1;
  int64_t total_bytes = int64_t{1} << 32;
  int32_t compute_capability = 90;
  int32_t driver_version = 13000;
  std::string no_driver = {};  // why there are no devices; empty: there is a driver
  int64_t fail_after = -1;     // kernels that run until the device is lost; -1: never
  std::string failure = "an uncorrectable ECC error was encountered";
};
void set(const Settings& settings);

/// Since set().
struct Counts {
  int64_t n_kernels = 0;   // run, those of graphs included
  int64_t n_launches = 0;  // operations queued by the host: kernels, copies, fills, graphs
  int64_t n_waits = 0;     // times the host waited
  int64_t bytes_in_use = 0;
  int64_t n_allocations = 0;
};
[[nodiscard]] Counts counts();

}  // namespace forge::fake_cuda
