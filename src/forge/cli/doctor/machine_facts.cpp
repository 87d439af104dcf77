// CPU and memory.
#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "forge/base/cpu_count.h"
#include "forge/cli/doctor/facts.h"
#include "forge/engine/process_memory.h"
#include "forge/kernels/cpu/isa.h"
#include "forge/kernels/cpu/machine.h"

namespace forge::cli::doctor {
namespace {

namespace fs = std::filesystem;
namespace cpu = kernels::cpu;

/// The text after "NAME : " on the first line of a file that begins with the name.
std::string field(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return {};
}

int64_t number(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

/// Entries of a folder that begin with the name and a digit.
int count_numbered(const char* folder, std::string_view name) {
  std::error_code error;
  int n = 0;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    n += file.size() > name.size() && file.starts_with(name) && file[name.size()] >= '0' &&
         file[name.size()] <= '9';
  }
  return n;
}

void choose_isa(CpuFacts& facts) {
  const char* forced = std::getenv("FORGE_ISA");
  facts.isa_is_forced = forced != nullptr && *forced != '\0';
  const Result<cpu::IsaLevel> level = cpu::choose_level();
  if (!level.ok()) {
    facts.isa_problem = level.error().message;
    return;
  }
  facts.isa = cpu::name(*level);
  for (const cpu::IsaLevel better : cpu::built_levels()) {
    if (better <= *level) continue;
    facts.next_isa = cpu::name(better);
    for (const std::string_view need : cpu::missing_features(better)) {
      facts.next_needs.emplace_back(need);
    }
    return;
  }
}

}  // namespace

CpuFacts cpu_facts() {
  CpuFacts facts;
  facts.model = field("/proc/cpuinfo", "model name");
  facts.n_machine = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t mask;
  CPU_ZERO(&mask);
  facts.n_affinity =
      sched_getaffinity(0, sizeof(mask), &mask) == 0 ? CPU_COUNT(&mask) : facts.n_machine;
  facts.quota = cgroup_cpu_quota();
  facts.n_usable = usable_cpu_count();
  facts.n_threads = default_thread_count();
  facts.n_numa_nodes = count_numbered("/sys/devices/system/node", "node");
  choose_isa(facts);
  return facts;
}

MemoryFacts memory_facts() {
  MemoryFacts facts;
  facts.total_bytes = number(field("/proc/meminfo", "MemTotal")) * 1024;
  if (const auto available = engine::available_memory()) {
    facts.available_bytes = available->bytes;
    facts.limit = available->limit;
  }
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string words;
  std::getline(file, words);  // "always [madvise] never"
  const size_t open = words.find('[');
  const size_t close = words.find(']');
  if (open != std::string::npos && close != std::string::npos) {
    facts.transparent_huge_pages = words.substr(open + 1, close - open - 1);
  }
  facts.n_huge_pages = number(field("/proc/meminfo", "HugePages_Total"));
  struct rlimit limit {};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    facts.locked_bytes = static_cast<int64_t>(limit.rlim_cur);
  }
  return facts;
}

}  // namespace forge::cli::doctor
