#include "forge/engine/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string_view>
#include <vector>

namespace forge::engine {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::optional<int64_t> number_at(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  int64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return std::nullopt;
  return number;
}

/// The number after "name" at the start of a line ("MemAvailable:   123 kB", "inactive_file 123").
std::optional<int64_t> field(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with(name)) return number_at(line.substr(name.size()));
    at = end + 1;
  }
  return std::nullopt;
}

/// Files of one control group version: what may be used, what is, and the page cache inside it.
struct GroupFiles {
  std::string root;
  std::string_view limit;
  std::string_view usage;
  std::array<std::string_view, 2> cache_fields;
};

/// Takes the group's room into account, then its parents', up to the root.
void limit_by_group(const GroupFiles& files, std::string group, AvailableMemory& available) {
  while (true) {
    const std::string folder = files.root + group + "/";
    const auto limit = number_at(read_text(folder + std::string(files.limit)));  // "max": no number
    const auto usage = number_at(read_text(folder + std::string(files.usage)));
    if (limit && usage) {
      const std::string stat = read_text(folder + "memory.stat");
      int64_t room = *limit - *usage;
      for (const std::string_view name : files.cache_fields) room += field(stat, name).value_or(0);
      if (room < available.bytes) {
        available = {std::max<int64_t>(room, 0),
                     "the control group " + (group.empty() ? "/" : group)};
      }
    }
    if (group.empty()) return;
    group.resize(group.find_last_of('/'));
  }
}

/// The process's group for a line start of /proc/self/cgroup ("0::"), without a trailing slash.
std::optional<std::string> group_of(std::string_view cgroups, std::string_view controller) {
  for (size_t at = 0; at < cgroups.size();) {
    const size_t end = std::min(cgroups.find('\n', at), cgroups.size());
    const std::string_view line = cgroups.substr(at, end - at);
    const size_t found = line.find(controller);
    if (found != std::string_view::npos) {
      std::string group(line.substr(found + controller.size()));
      if (group.empty() || group.front() != '/') return std::nullopt;
      while (!group.empty() && group.back() == '/') group.pop_back();
      return group;
    }
    at = end + 1;
  }
  return std::nullopt;
}

}  // namespace

std::optional<AvailableMemory> available_memory() {
  const auto machine = field(read_text("/proc/meminfo"), "MemAvailable:");
  if (!machine) return std::nullopt;
  AvailableMemory available{*machine * 1024, "the machine"};
  const std::string cgroups = read_text("/proc/self/cgroup");
  if (const auto group = group_of(cgroups, "0::")) {
    limit_by_group(
        {"/sys/fs/cgroup", "memory.max", "memory.current", {"inactive_file ", "active_file "}},
        *group, available);
  }
  if (const auto group = group_of(cgroups, ":memory:")) {
    limit_by_group({"/sys/fs/cgroup/memory",
                    "memory.limit_in_bytes",
                    "memory.usage_in_bytes",
                    {"total_inactive_file ", "total_active_file "}},
                   *group, available);
  }
  return available;
}

int64_t resident_bytes() {
  // smaps_rollup is exact; the counters behind statm lag by up to 64 pages a thread.
  if (const auto kib = field(read_text("/proc/self/smaps_rollup"), "Rss:")) return *kib * 1024;
  const std::string statm = read_text("/proc/self/statm");
  const size_t space = statm.find(' ');
  if (space == std::string::npos) return 0;
  return number_at(std::string_view(statm).substr(space)).value_or(0) * sysconf(_SC_PAGESIZE);
}

int64_t peak_resident_bytes() {
  // Not getrusage: its ru_maxrss counts the program that this one was started by.
  return field(read_text("/proc/self/status"), "VmHWM:").value_or(0) * 1024;
}

void reset_peak_resident_bytes() {
  const int file = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  constexpr char kResetPeak = '5';  // Linux: filesystems/proc.rst
  // Where it is refused the peak is one of the whole process, as without this call.
  const ssize_t written = ::write(file, &kResetPeak, 1);
  (void)written;
  ::close(file);
}

int64_t resident_bytes(std::span<const std::byte> range) {
  if (range.empty()) return 0;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t first = reinterpret_cast<uintptr_t>(range.data()) / page;
  const uint64_t last = (reinterpret_cast<uintptr_t>(range.data()) + range.size() - 1) / page;
  const int file = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  constexpr uint64_t kPresent = uint64_t{1} << 63;  // Linux: admin-guide/mm/pagemap.rst
  std::vector<uint64_t> entries(8192);
  int64_t n_present = 0;
  for (uint64_t at = first; at <= last;) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(last - at + 1, entries.size()));
    const ssize_t n_bytes = ::pread(file, entries.data(), wanted * sizeof(uint64_t),
                                    static_cast<off_t>(at * sizeof(uint64_t)));
    if (n_bytes < static_cast<ssize_t>(sizeof(uint64_t))) break;
    const size_t n = static_cast<size_t>(n_bytes) / sizeof(uint64_t);
    for (size_t i = 0; i < n; ++i) n_present += (entries[i] & kPresent) != 0 ? 1 : 0;
    at += n;
  }
  ::close(file);
  return n_present * static_cast<int64_t>(page);
}

}  // namespace forge::engine
