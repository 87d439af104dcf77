// forge doctor for people.
#include "forge/cli/doctor/doctor_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "forge/base/format_bytes.h"
#include "forge/cli/report.h"
#include "forge/cli/wrapped_text.h"

namespace forge::cli::doctor {
namespace {

class Rows {
 public:
  explicit Rows(int n_columns) : n_columns_(n_columns) {}
  void row(std::string_view name, const std::string& text) {
    out_ += wrapped_entry(name, one_line(text), 8, n_columns_);
  }
  void point(std::string_view mark, const std::string& text) {
    out_ += wrapped_entry(mark, one_line(text), mark.size(), n_columns_);
  }
  void line(std::string_view text) { out_ += std::string(text) + "\n"; }
  [[nodiscard]] const std::string& text() const { return out_; }

 private:
  int n_columns_;
  std::string out_;
};

std::string isa_text(const CpuFacts& cpu) {
  if (cpu.isa.empty()) return cpu.isa_problem;
  const std::string why = cpu.isa_is_forced ? " (FORGE_ISA)" : "";
  if (cpu.next_isa.empty()) return cpu.isa + why + ", the best there is";
  if (cpu.next_needs.empty())
    return fmt::format("{}{}; {} would run, too", cpu.isa, why, cpu.next_isa);
  return fmt::format("{}{}; for {} this CPU lacks {}", cpu.isa, why, cpu.next_isa,
                     fmt::join(cpu.next_needs, ", "));
}

std::string cores_text(const CpuFacts& cpu) {
  std::string text = fmt::format("{} CPUs, {} by affinity, {}", cpu.n_machine, cpu.n_affinity,
                                 cpu.quota ? fmt::format("quota {:.3g}", *cpu.quota) : "no quota");
  if (cpu.n_numa_nodes > 0) {
    text += fmt::format(", {} NUMA node{}", cpu.n_numa_nodes, cpu.n_numa_nodes == 1 ? "" : "s");
  }
  return text + fmt::format(": {} threads (one per core)", cpu.n_threads);
}

void add_memory(const MemoryFacts& memory, Rows& rows) {
  rows.row("memory",
           fmt::format("{}, {}", format_bytes(memory.total_bytes),
                       memory.available_bytes
                           ? fmt::format("{} free (limit: {})",
                                         format_bytes(*memory.available_bytes), memory.limit)
                           : "free: not known"));
  rows.row(
      "pages",
      fmt::format(
          "transparent huge pages: {}; {} reserved huge pages; {} may be "
          "locked",
          memory.transparent_huge_pages.empty() ? "not known" : memory.transparent_huge_pages,
          memory.n_huge_pages,
          memory.locked_bytes ? format_bytes(*memory.locked_bytes) : std::string("any amount")));
}

void add_cuda(const CudaFacts& cuda, Rows& rows) {
  rows.row("cuda",
           cuda.built_for.empty()
               ? std::string("not in this build")
               : fmt::format("this build has code for {}{}", cuda.built_for,
                             cuda.driver.empty()
                                 ? ""
                                 : fmt::format("; the driver supports CUDA {}", cuda.driver)));
  if (!cuda.built_for.empty() && !cuda.problem.empty()) rows.row("", cuda.problem);
  for (const GpuFacts& device : cuda.devices) {
    std::string text = fmt::format(
        "{}, compute capability {}, {}", device.name, device.capability,
        device.free_bytes ? fmt::format("{} free of {}", format_bytes(*device.free_bytes),
                                        format_bytes(device.total_bytes))
                          : format_bytes(device.total_bytes));
    if (!device.has_code) text += ": no code for it in this build";
    if (!device.problem.empty()) text += ": " + device.problem;
    rows.row(fmt::format("cuda:{}", device.index), text);
  }
}

void add_models(const Facts& facts, Rows& rows) {
  const CacheFacts& cache = facts.cache;
  if (!cache.problem.empty()) {
    rows.row("cache", cache.problem);
  } else {
    rows.row(
        "cache",
        fmt::format("{} ({}): {} model{}, {}; {} free on the disk", cache.folder,
                    !cache.is_writable ? "not writable"
                    : cache.exists     ? "writable"
                                       : "not there yet",
                    cache.n_models, cache.n_models == 1 ? "" : "s", format_bytes(cache.n_bytes),
                    cache.free_bytes ? format_bytes(*cache.free_bytes) : "not known"));
    rows.row("token", cache.token_origin.empty() ? "none (public models need none)"
                                                 : "present, from " + cache.token_origin);
  }
  const ModelFacts& model = facts.model;
  const std::string name =
      model.origin == "FORGE_MODEL" ? fmt::format("{} (FORGE_MODEL)", model.name) : model.name;
  rows.row("model",
           model.problem.empty()
               ? fmt::format("{}: loaded, and a token made, in {:.0f} ms", name, model.milliseconds)
               : fmt::format("{}: does not run", name));
}

std::string terminal_text(const Facts& facts) {
  const Terminal& terminal = facts.terminal;
  if (!terminal.is_output) return "stdout is none: no colours, no line editing";
  return fmt::format(
      "{}, {} columns, {}, {}", facts.term.empty() ? "no TERM" : facts.term, terminal.n_columns,
      terminal.wants_color ? "colours" : "no colours (NO_COLOR or TERM)", facts.encoding);
}

}  // namespace

std::string as_text(const Facts& facts, const Findings& findings, int n_columns) {
  Rows rows(n_columns);
  rows.row("cpu", facts.cpu.model.empty() ? "not named" : facts.cpu.model);
  rows.row("isa", isa_text(facts.cpu));
  rows.row("cores", cores_text(facts.cpu));
  add_memory(facts.memory, rows);
  add_cuda(facts.cuda, rows);
  add_models(facts, rows);
  rows.row("terminal", terminal_text(facts));
  rows.line("\nWhat will be used");
  for (const std::string& text : findings.uses) rows.point("-", text);
  if (!findings.hints.empty()) rows.line("\nWhy not more");
  for (const std::string& text : findings.hints) rows.point("-", text);
  rows.line(findings.problems.empty() ? "\nForge can run." : "\nWhat is broken");
  for (const std::string& text : findings.problems) rows.point("!", text);
  return rows.text();
}

}  // namespace forge::cli::doctor
