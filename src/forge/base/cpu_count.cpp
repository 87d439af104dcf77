#include "forge/base/cpu_count.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

namespace forge {
namespace {

/// A hierarchy of cgroups in the file system.
struct Mount {
  bool is_v2 = false;
  std::string root;   // which cgroup the mount point shows, "/" where it is all of them
  std::string point;  // where
};

bool has_item(std::string_view list, std::string_view item) {
  for (size_t begin = 0; begin <= list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == item) return true;
    begin = end + 1;
  }
  return false;
}

/// The mounts that hold CPU limits. A line of mountinfo, proc_pid_mountinfo(5):
///   31 23 0:28 ROOT POINT rw,relatime [tag ...] - TYPE source OPTIONS
std::vector<Mount> cpu_mounts(const std::string& mountinfo_file) {
  std::vector<Mount> mounts;
  std::ifstream file(mountinfo_file);
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string skipped, type, source, options;
    Mount mount;
    fields >> skipped >> skipped >> skipped >> mount.root >> mount.point;
    while (fields >> skipped && skipped != "-") {
    }
    if (!(fields >> type >> source >> options)) continue;
    mount.is_v2 = type == "cgroup2";
    if (mount.is_v2 || (type == "cgroup" && has_item(options, "cpu"))) mounts.push_back(mount);
  }
  return mounts;
}

/// The process's cgroup in one hierarchy. A line of /proc/self/cgroup, cgroups(7):
///   ID:CONTROLLERS:PATH, where v2 has ID 0 and no controllers
std::optional<std::string> cgroup_path(const std::string& cgroup_file, bool is_v2) {
  std::ifstream file(cgroup_file);
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    if (first == std::string::npos) continue;
    const size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers =
        std::string_view(line).substr(first + 1, second - first - 1);
    if (is_v2 ? controllers.empty() : has_item(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// The limit that one cgroup's own files state.
std::optional<double> limit_of(const std::string& folder, bool is_v2) {
  int64_t quota_us = 0;
  int64_t period_us = 0;
  if (is_v2) {
    // "max 100000", where there is no limit, does not read as two numbers.
    std::ifstream file(folder + "/cpu.max");
    if (!(file >> quota_us >> period_us)) return std::nullopt;
  } else {
    std::ifstream quota(folder + "/cpu.cfs_quota_us");  // -1 where there is no limit
    std::ifstream period(folder + "/cpu.cfs_period_us");
    if (!(quota >> quota_us) || !(period >> period_us)) return std::nullopt;
  }
  if (quota_us <= 0 || period_us <= 0) return std::nullopt;
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

/// The path below the mount point: without the mount's own root, and empty where the process's
/// cgroup is not below it (another cgroup namespace).
std::string below_mount(const Mount& mount, std::string path) {
  if (mount.root != "/") {
    const bool is_inside = path.starts_with(mount.root) &&
                           (path.size() == mount.root.size() || path[mount.root.size()] == '/');
    if (!is_inside) return {};
    path.erase(0, mount.root.size());
  }
  if (path.find("/..") != std::string::npos) return {};
  while (path.ends_with('/')) path.pop_back();
  return path;
}

std::optional<cpu_set_t> affinity() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  // Fails on machines with more than 1024 CPUs.
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return std::nullopt;
  return mask;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const std::string& cgroup_file,
                                       const std::string& mountinfo_file) {
  std::optional<double> tightest;
  for (const Mount& mount : cpu_mounts(mountinfo_file)) {
    const auto cgroup = cgroup_path(cgroup_file, mount.is_v2);
    if (!cgroup) continue;
    for (std::string path = below_mount(mount, *cgroup);;) {
      const auto limit = limit_of(mount.point + path, mount.is_v2);
      if (limit && (!tightest || *limit < *tightest)) tightest = limit;
      if (path.empty()) break;
      path.resize(path.rfind('/'));
    }
  }
  return tightest;
}

int usable_cpu_count() {
  const auto mask = affinity();
  const int count =
      std::max(1, mask ? CPU_COUNT(&*mask) : static_cast<int>(std::thread::hardware_concurrency()));
  const auto quota = cgroup_cpu_quota();
  return quota && *quota < count ? std::max(1, static_cast<int>(*quota)) : count;
}

int default_thread_count() {
  const auto mask = affinity();
  if (!mask) return usable_cpu_count();
  // CPUs of one core have the same list of siblings.
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &*mask)) continue;
    std::ifstream file(
        fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string siblings;
    if (!std::getline(file, siblings)) return usable_cpu_count();
    cores.insert(siblings);
  }
  return std::clamp(static_cast<int>(cores.size()), 1, usable_cpu_count());
}

}  // namespace forge
