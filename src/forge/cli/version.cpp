// forge version: what this build is and what the machine under it can do.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "forge/base/json.h"
#include "forge/base/cpu_count.h"
#include "forge/build_info.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"

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

// The kernels of this version are the reference ones, for every machine.
constexpr std::string_view kKernelIsa = "scalar";

std::string as_json() {
  json::Writer json;
  json.begin_object()
      .member("version", kVersion)
      .member("commit", kCommit)
      .member("compiler", kCompiler)
      .member("build_type", kBuildType)
      .member("options", kOptions)
      .member("architecture", architecture())
      .member("isa", kKernelIsa);
  json.key("cpu_features").begin_array();
  for (const std::string& name : cpu_features()) json.value(name);
  json.end_array();
  json.key("devices").begin_array().value("cpu").end_array();
  json.member("usable_cpus", usable_cpu_count()).end_object();
  return json.text() + "\n";
}

std::string as_table() {
  return fmt::format(
      "forge {} (commit {})\n"
      "  compiler      {}, {}\n"
      "  options       {}\n"
      "  kernels       {} (reference), f32\n"
      "  machine       {}: {}; {} usable CPUs\n"
      "  devices       cpu\n",
      kVersion, kCommit, kCompiler, kBuildType, kOptions, kKernelIsa, architecture(),
      fmt::join(cpu_features(), " "), usable_cpu_count());
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
