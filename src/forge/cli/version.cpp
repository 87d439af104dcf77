// forge version: what this build is and what the machine under it can do.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "forge/base/cpu_count.h"
#include "forge/base/json.h"
#include "forge/build_info.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/engine/device_choice.h"
#include "forge/kernels/cpu/isa.h"

namespace forge::cli {
namespace {

std::string_view architecture() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

/// SIMD extensions of this machine that kernels may care about.
std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2")) names.emplace_back("sse4.2");
  if (__builtin_cpu_supports("avx")) names.emplace_back("avx");
  if (__builtin_cpu_supports("avx2")) names.emplace_back("avx2");
  if (__builtin_cpu_supports("fma")) names.emplace_back("fma");
  if (__builtin_cpu_supports("avx512f")) names.emplace_back("avx512f");
  if (__builtin_cpu_supports("avx512bw")) names.emplace_back("avx512bw");
  if (__builtin_cpu_supports("avx512vnni")) names.emplace_back("avx512vnni");
#elif defined(__aarch64__)
  names.emplace_back("neon");
#endif
  return names;
}

/// The level that kernels would run at: FORGE_ISA, or the best of this machine.
std::string kernel_isa() {
  const Result<kernels::cpu::IsaLevel> level = kernels::cpu::choose_level();
  return level.ok() ? std::string(kernels::cpu::name(*level)) : level.error().message;
}

std::string built_isas() {
  std::string names;
  for (const kernels::cpu::IsaLevel level : kernels::cpu::built_levels()) {
    if (!names.empty()) names += " ";
    names += kernels::cpu::name(level);
  }
  return names;
}

/// The devices of this machine, a line each: "cpu", NVIDIA's, or why there are none.
std::vector<std::string> devices() {
  std::vector<std::string> texts = {"cpu"};
  if (engine::cuda_built_for().empty()) return texts;
  const Result<std::vector<std::string>> found = engine::list_cuda_devices();
  if (!found.ok()) {
    texts.push_back("no cuda: " + found.error().message);
  } else {
    texts.insert(texts.end(), found->begin(), found->end());
  }
  return texts;
}

/// The compute capabilities that this build has code for.
std::string cuda() {
  const std::string capabilities = engine::cuda_built_for();
  if (!capabilities.empty()) return capabilities;
  return engine::has_nvidia_driver() ? "not in this build; this machine has an NVIDIA device"
                                     : "not in this build";
}

std::string as_json() {
  json::Writer json;
  json.begin_object()
      .member("version", kVersion)
      .member("commit", kCommit)
      .member("compiler", kCompiler)
      .member("build_type", kBuildType)
      .member("options", kOptions)
      .member("architecture", architecture())
      .member("isa", kernel_isa());
  json.key("cpu_features").begin_array();
  for (const std::string& name : cpu_features()) json.value(name);
  json.end_array();
  json.member("cuda", cuda());
  json.key("devices").begin_array();
  for (const std::string& device : devices()) json.value(device);
  json.end_array();
  json.member("usable_cpus", usable_cpu_count()).end_object();
  return json.text() + "\n";
}

std::string as_table() {
  return fmt::format(
      "forge {} (commit {})\n"
      "  compiler      {}, {}\n"
      "  options       {}\n"
      "  kernels       {} (of {})\n"
      "  machine       {}: {}; {} usable CPUs\n"
      "  cuda          {}\n"
      "  devices       {}\n",
      kVersion, kCommit, kCompiler, kBuildType, kOptions, kernel_isa(), built_isas(),
      architecture(), fmt::join(cpu_features(), " "), usable_cpu_count(), cuda(),
      fmt::join(devices(), "\n                "));
}

}  // namespace

int run_version(const Arguments& arguments) {
  CommandLine line("version", "Show version, compiler, CPU features and build options.", "");
  bool wants_json = false;
  line.app().add_flag("--json", wants_json, "Print one JSON object")->group("Output");
  if (const auto code = line.parse(arguments)) return *code;
  StdoutStream out;
  out.write(wants_json ? as_json() : as_table());
  return out.close();
}

}  // namespace forge::cli
