// What forge doctor finds out about a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "forge/cli/terminal.h"

namespace forge::cli::doctor {

struct CpuFacts {
  std::string model;                    // "AMD EPYC 9B14"; empty: not known
  int n_machine = 0;                    // CPUs that are online
  int n_affinity = 0;                   // of those this process may run on
  std::optional<double> quota;          // CPUs' worth of time of the control group
  int n_usable = 0;                     // what comes of both
  int n_threads = 0;                    // that Forge runs by itself: one per core
  int n_numa_nodes = 0;                 // 0: not known
  std::string isa;                      // the level that runs; empty where isa_problem says why not
  std::string isa_problem;              // of FORGE_ISA
  bool isa_is_forced = false;           // FORGE_ISA is set
  std::string next_isa;                 // the next better level that is built; empty: none
  std::vector<std::string> next_needs;  // what the machine lacks for it; empty: only FORGE_ISA
};

struct MemoryFacts {
  int64_t total_bytes = 0;
  std::optional<int64_t> available_bytes;
  std::string limit;                    // what limits that: "the machine", "the control group /x"
  std::string transparent_huge_pages;   // "always", "madvise", "never"; empty: not known
  int64_t n_huge_pages = 0;             // reserved ones, which Forge does not use
  std::optional<int64_t> locked_bytes;  // that a process may lock; nothing: no limit
};

struct GpuFacts {
  int32_t index = 0;
  std::string name;
  std::string capability;  // "9.0"
  int64_t total_bytes = 0;
  std::optional<int64_t> free_bytes;
  bool has_code = false;
  std::string problem;  // why it cannot be opened; empty: it can
};

struct CudaFacts {
  std::string built_for;  // empty: built without CUDA
  bool has_kernel_driver = false;
  std::string driver;   // the newest CUDA that the driver supports; empty: not known
  std::string problem;  // why there are no devices; empty where there are
  std::vector<GpuFacts> devices;
  std::string wanted;          // FORGE_DEVICE; empty: auto
  std::string wanted_problem;  // why that cannot be had
};

struct CacheFacts {
  std::string folder;
  std::string problem;  // of the environment's variables
  bool exists = false;
  bool is_writable = false;  // it, or the folder that it would be made in
  int64_t n_bytes = 0;
  int n_models = 0;
  std::optional<int64_t> free_bytes;  // of the disk
  std::string token_origin;           // where the token comes from; never the token. Empty: none
  bool is_offline = false;
};

/// The model that runs where none is named, tried with one token.
struct ModelFacts {
  std::string origin;  // "FORGE_MODEL", "the cache", "this program"
  std::string name;
  std::string problem;        // why it does not run
  std::string device;         // where it ran, for people
  double milliseconds = 0.0;  // to the first token, loading included
};

struct Facts {
  CpuFacts cpu;
  MemoryFacts memory;
  CudaFacts cuda;
  CacheFacts cache;
  ModelFacts model;
  Terminal terminal;
  std::string term;      // TERM
  std::string encoding;  // of the locale: "UTF-8"
};

[[nodiscard]] CpuFacts cpu_facts();
[[nodiscard]] MemoryFacts memory_facts();
/// Opens every device that there is code for, for a moment.
[[nodiscard]] CudaFacts cuda_facts();
[[nodiscard]] CacheFacts cache_facts();
/// Loads the default model (no download) and has it choose a token.
[[nodiscard]] ModelFacts try_model();
[[nodiscard]] Facts all_facts();

}  // namespace forge::cli::doctor
