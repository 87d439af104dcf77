// How many threads make sense: affinity, cgroup quota, physical cores.
#pragma once

#include <optional>
#include <string>

namespace forge {

/// How many threads a process may use: the smaller of its affinity mask and its cgroup CPU quota
/// (rounded down, at least 1).
[[nodiscard]] int usable_cpu_count();

/// How many threads to use where nobody says: usable_cpu_count(), but at most one per physical
/// core, as two threads of one core share the units and the bandwidth that Forge is bound by.
[[nodiscard]] int default_thread_count();

/// CPUs' worth of time that the process's cgroup may use: the tightest limit from its own cgroup up
/// to the root that it can see; none where there is no limit. Reads cgroup v2 (cpu.max) and v1
/// (cpu.cfs_quota_us over cpu.cfs_period_us), wherever they are mounted. The parameters are for
/// tests: files with the text of /proc/self/cgroup and /proc/self/mountinfo.
[[nodiscard]] std::optional<double> cgroup_cpu_quota(
    const std::string& cgroup_file = "/proc/self/cgroup",
    const std::string& mountinfo_file = "/proc/self/mountinfo");

}  // namespace forge
