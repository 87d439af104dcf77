#include "tests/simt/machine.h"

#include <cstdlib>
#include <exception>

#include "forge/base/check.h"
#include "forge/kernels/cuda/runtime/device_errors.h"

namespace forge::fake_cuda {
namespace {

void set_entry(Settings& settings, const std::string& name, const std::string& value) {
  if (name == "devices") {
    settings.n_devices = std::stoi(value);
  } else if (name == "memory") {
    settings.total_bytes = std::stoll(value);
  } else if (name == "capability") {
    settings.compute_capability = std::stoi(value);
  } else if (name == "driver") {
    settings.no_driver = value;
  } else if (name == "old_driver") {
    settings.driver_version = std::stoi(value);
  } else if (name == "fail_after") {
    settings.fail_after = std::stoll(value);
  } else if (name == "failure") {
    settings.failure = value;
  } else {
    FORGE_CHECK(false, "FORGE_FAKE_CUDA: \"{}\" is no setting", name);
  }
}

Settings settings_of_environment() {
  Settings settings;
  const char* text = std::getenv("FORGE_FAKE_CUDA");
  std::string rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    const std::string entry = rest.substr(0, end);
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
    const size_t equals = entry.find('=');
    FORGE_CHECK(equals != std::string::npos, "FORGE_FAKE_CUDA: \"{}\": expected NAME=VALUE", entry);
    set_entry(settings, entry.substr(0, equals), entry.substr(equals + 1));
  }
  return settings;
}

void lose(int32_t device, std::string_view why) {
  machine().failures.emplace(device, fmt::format("{}: {}", label_of(device), why));
}

}  // namespace

Machine& machine() {
  // Never destroyed: static objects may give memory back after main().
  static Machine& the_machine = *[] {
    auto* made = new Machine;
    made->settings = settings_of_environment();
    return made;
  }();
  return the_machine;
}

std::string label_of(int32_t device) { return kernels::cuda::device_label(device, "a fake"); }

Status status_of(int32_t device) {
  const auto lost = machine().failures.find(device);
  if (lost == machine().failures.end()) return {};
  return Error{lost->second, ErrorKind::kInternal};
}

int64_t free_bytes(int32_t device) {
  return machine().settings.total_bytes - machine().used[device];
}

void run_kernel(int32_t device, const simt::Launch& launch, const std::function<void()>& body) {
  if (machine().failures.contains(device)) return;
  const int64_t fail_after = machine().settings.fail_after;
  if (fail_after >= 0 && machine().counts.n_kernels >= fail_after) {
    return lose(device, machine().settings.failure);
  }
  ++machine().counts.n_kernels;
  try {
    simt::run(launch, body);
  } catch (const std::exception& fault) {
    lose(device, fault.what());
  }
}

void set(const Settings& settings) {
  const Lock lock(machine().mutex);
  machine().settings = settings;
  machine().failures.clear();
  const int64_t in_use = machine().counts.bytes_in_use;
  machine().counts = {};
  machine().counts.bytes_in_use = in_use;
}

Counts counts() {
  const Lock lock(machine().mutex);
  return machine().counts;
}

}  // namespace forge::fake_cuda
