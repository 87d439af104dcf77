// forge doctor as one JSON object.
#include "forge/base/json.h"
#include "forge/cli/doctor/doctor_report.h"

namespace forge::cli::doctor {
namespace {

template <typename T>
void optional_member(json::Writer& json, std::string_view name, const std::optional<T>& value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void strings(json::Writer& json, std::string_view name, const std::vector<std::string>& values) {
  json.key(name).begin_array();
  for (const std::string& value : values) json.value(value);
  json.end_array();
}

void add_cpu(json::Writer& json, const CpuFacts& cpu) {
  json.key("cpu").begin_object().member("model", cpu.model).member("isa", cpu.isa);
  json.member("next_isa", cpu.next_isa);
  strings(json, "next_isa_needs", cpu.next_needs);
  json.member("cpus", cpu.n_machine).member("affinity_cpus", cpu.n_affinity);
  optional_member(json, "quota_cpus", cpu.quota);
  json.member("usable_cpus", cpu.n_usable)
      .member("threads", cpu.n_threads)
      .member("numa_nodes", cpu.n_numa_nodes)
      .end_object();
}

void add_memory(json::Writer& json, const MemoryFacts& memory) {
  json.key("memory").begin_object().member("total_bytes", memory.total_bytes);
  optional_member(json, "available_bytes", memory.available_bytes);
  json.member("limit", memory.limit)
      .member("transparent_huge_pages", memory.transparent_huge_pages)
      .member("reserved_huge_pages", memory.n_huge_pages);
  optional_member(json, "locked_limit_bytes", memory.locked_bytes);
  json.end_object();
}

void add_cuda(json::Writer& json, const CudaFacts& cuda) {
  json.key("cuda")
      .begin_object()
      .member("built_for", cuda.built_for)
      .member("kernel_driver", cuda.has_kernel_driver)
      .member("driver_cuda", cuda.driver)
      .member("problem", cuda.problem);
  json.key("devices").begin_array();
  for (const GpuFacts& device : cuda.devices) {
    json.begin_object()
        .member("index", device.index)
        .member("name", device.name)
        .member("compute_capability", device.capability)
        .member("total_bytes", device.total_bytes);
    optional_member(json, "free_bytes", device.free_bytes);
    json.member("has_code", device.has_code).member("problem", device.problem).end_object();
  }
  json.end_array().end_object();
}

void add_models(json::Writer& json, const Facts& facts) {
  const CacheFacts& cache = facts.cache;
  json.key("cache")
      .begin_object()
      .member("folder", cache.folder)
      .member("problem", cache.problem)
      .member("exists", cache.exists)
      .member("writable", cache.is_writable)
      .member("bytes", cache.n_bytes)
      .member("models", cache.n_models);
  optional_member(json, "disk_free_bytes", cache.free_bytes);
  json.member("token", !cache.token_origin.empty())
      .member("token_origin", cache.token_origin)
      .member("offline", cache.is_offline)
      .end_object();
  const ModelFacts& model = facts.model;
  json.key("model")
      .begin_object()
      .member("name", model.name)
      .member("from", model.origin)
      .member("device", model.device)
      .member("problem", model.problem)
      .member("ms", model.milliseconds)
      .end_object();
  json.key("terminal")
      .begin_object()
      .member("stdout", facts.terminal.is_output)
      .member("term", facts.term)
      .member("columns", facts.terminal.n_columns)
      .member("color", facts.terminal.wants_color)
      .member("encoding", facts.encoding)
      .end_object();
}

}  // namespace

std::string as_json(const Facts& facts, const Findings& findings) {
  json::Writer json;
  json.begin_object().member("ok", findings.problems.empty());
  add_cpu(json, facts.cpu);
  add_memory(json, facts.memory);
  add_cuda(json, facts.cuda);
  add_models(json, facts);
  strings(json, "problems", findings.problems);
  strings(json, "uses", findings.uses);
  strings(json, "hints", findings.hints);
  json.end_object();
  return json.text() + "\n";
}

}  // namespace forge::cli::doctor
