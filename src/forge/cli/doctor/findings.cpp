#include "forge/cli/doctor/findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "forge/base/format_bytes.h"

namespace forge::cli::doctor {
namespace {

void judge_cpu(const CpuFacts& cpu, Findings& findings) {
  if (!cpu.isa_problem.empty()) findings.problems.push_back(cpu.isa_problem);
  findings.uses.push_back(fmt::format("CPU: {} thread{}, {} kernels", cpu.n_threads,
                                      cpu.n_threads == 1 ? "" : "s",
                                      cpu.isa.empty() ? "no" : cpu.isa));
  if (cpu.n_affinity < cpu.n_machine) {
    findings.hints.push_back(
        fmt::format("this process may run on {} of {} CPUs (affinity): taskset "
                    "or the container's cpuset says which",
                    cpu.n_affinity, cpu.n_machine));
  }
  if (cpu.quota && *cpu.quota < cpu.n_affinity) {
    findings.hints.push_back(
        fmt::format("the control group allows {:.2g} of {} CPUs' time: raise "
                    "its quota (docker run --cpus, cpu.max)",
                    *cpu.quota, cpu.n_affinity));
  }
  if (cpu.n_numa_nodes > 1) {
    findings.hints.push_back(
        fmt::format("memory is spread over {} NUMA nodes: for small models one "
                    "node alone may be faster (numactl -N 0 -m 0)",
                    cpu.n_numa_nodes));
  }
  if (cpu.isa_is_forced && !cpu.next_isa.empty() && cpu.next_needs.empty()) {
    findings.hints.push_back(
        fmt::format("FORGE_ISA={} is set; this CPU also runs {}: unset it", cpu.isa, cpu.next_isa));
  } else if (cpu.isa == "scalar" && !cpu.next_needs.empty()) {
    findings.hints.push_back(
        fmt::format("this CPU has no vector instructions that Forge uses ({}): "
                    "everything is slow",
                    fmt::join(cpu.next_needs, ", ")));
  }
}

void judge_memory(const MemoryFacts& memory, Findings& findings) {
  constexpr int64_t kLittle = int64_t{1} << 30;
  if (memory.available_bytes) {
    findings.uses.push_back(fmt::format("memory: up to {}", format_bytes(*memory.available_bytes)));
    if (*memory.available_bytes < kLittle) {
      findings.hints.push_back(
          fmt::format("{} of memory is free ({}): enough for the smallest "
                      "models only; end other programs or raise the limit",
                      format_bytes(*memory.available_bytes), memory.limit));
    } else if (memory.limit != "the machine") {
      findings.hints.push_back(
          fmt::format("{} allows less memory than the machine has: raise its "
                      "limit (docker run --memory, memory.max)",
                      memory.limit));
    }
  }
  if (memory.transparent_huge_pages == "never") {
    findings.hints.emplace_back(
        "transparent huge pages are off, which costs speed: as root, echo madvise > "
        "/sys/kernel/mm/transparent_hugepage/enabled");
  }
}

void judge_device(const GpuFacts& device, const CudaFacts& cuda, Findings& findings) {
  const std::string label = fmt::format("cuda:{} ({})", device.index, device.name);
  if (!device.has_code) {
    findings.hints.push_back(
        fmt::format("{} has compute capability {}, this program has code for {}: build it with "
                    "-DFORGE_CUDA_ARCHITECTURES for yours (8.0 at least)",
                    label, device.capability, cuda.built_for));
  } else if (!device.problem.empty()) {
    findings.hints.push_back(device.problem);
  } else if (device.free_bytes && *device.free_bytes < device.total_bytes / 2) {
    findings.hints.push_back(
        fmt::format("{}: {} of {} free: other programs use the rest "
                    "(nvidia-smi shows them)",
                    label, format_bytes(*device.free_bytes), format_bytes(device.total_bytes)));
  }
}

void judge_cuda(const CudaFacts& cuda, Findings& findings) {
  if (!cuda.wanted_problem.empty()) {
    findings.problems.push_back(
        fmt::format("FORGE_DEVICE={}: {}", cuda.wanted, cuda.wanted_problem));
  }
  if (cuda.built_for.empty()) {
    if (cuda.has_kernel_driver) {
      findings.hints.emplace_back(
          "this machine has an NVIDIA device, this program was built without CUDA: build it with "
          "cmake --preset cuda");
    }
    return;
  }
  if (!cuda.problem.empty()) {
    findings.hints.push_back(fmt::format("no GPU is used: {}", cuda.problem));
  }
  for (const GpuFacts& device : cuda.devices) judge_device(device, cuda, findings);
  if (cuda.devices.size() > 1) {
    findings.hints.push_back(
        fmt::format("there are {} GPUs, a process uses one: --device cuda:N "
                    "says which",
                    cuda.devices.size()));
  }
}

void judge_models(const Facts& facts, Findings& findings) {
  const ModelFacts& model = facts.model;
  // What keeps every model from running has been said once.
  const bool is_said = !facts.cuda.wanted_problem.empty() || !facts.cpu.isa_problem.empty();
  if (!model.problem.empty() && !is_said) {
    findings.problems.push_back(fmt::format(
        "{}: {}", model.origin == "FORGE_MODEL" ? "FORGE_MODEL" : "the model", model.problem));
  } else if (model.problem.empty()) {
    findings.uses.push_back(
        fmt::format("model: {} where none is named, on {}", model.name, model.device));
  }
  const CacheFacts& cache = facts.cache;
  if (!cache.problem.empty()) {
    findings.hints.push_back(fmt::format("no model can be downloaded: {}", cache.problem));
  } else if (!cache.is_writable) {
    findings.hints.push_back(
        fmt::format("{} cannot be written: no model can be downloaded (HF_HOME "
                    "sets another place)",
                    cache.folder));
  } else if (cache.free_bytes && *cache.free_bytes < (int64_t{2} << 30)) {
    findings.hints.push_back(
        fmt::format("{} free where models are kept ({}): HF_HOME sets another "
                    "place, forge rm makes room",
                    format_bytes(*cache.free_bytes), cache.folder));
  }
  if (cache.is_offline) {
    findings.hints.emplace_back("HF_HUB_OFFLINE is set: nothing is downloaded");
  }
  if (facts.terminal.is_output && facts.encoding != "UTF-8") {
    findings.hints.push_back(
        fmt::format("the locale says {}, not UTF-8: other programs may show "
                    "text wrongly (LANG=C.UTF-8)",
                    facts.encoding));
  }
}

}  // namespace

Findings judge(const Facts& facts) {
  Findings findings;
  judge_cpu(facts.cpu, findings);
  judge_memory(facts.memory, findings);
  judge_cuda(facts.cuda, findings);
  judge_models(facts, findings);
  return findings;
}

}  // namespace forge::cli::doctor
