// Memory of this process and of the machine, as Linux counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace forge::engine {

/// Memory that this process may still take, and what limits it.
struct AvailableMemory {
  int64_t bytes = 0;
  std::string limit;  // "the machine" or "the control group /system.slice/x"
};

/// The smaller of MemAvailable and the room left in the process's control group and its parents
/// (v2, or v1's memory controller); page cache that can be dropped counts as available in both.
/// Nothing where /proc does not say.
[[nodiscard]] std::optional<AvailableMemory> available_memory();

/// Resident bytes of this process now; 0 where /proc does not say.
[[nodiscard]] int64_t resident_bytes();

/// The most that was resident in this program so far; 0 where /proc does not say.
[[nodiscard]] int64_t peak_resident_bytes();

/// The peak counts from now on, where Linux lets a process do that for itself (since 4.0).
void reset_peak_resident_bytes();

/// How much of a memory range is resident in this process now (whole pages); 0 where /proc does not
/// say.
[[nodiscard]] int64_t resident_bytes(std::span<const std::byte> range);

}  // namespace forge::engine
