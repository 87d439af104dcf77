#include "tests/simt/fake_cuda.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "forge/kernels/cuda/runtime/device.h"
#include "forge/kernels/cuda/runtime/device_errors.h"
#include "forge/kernels/cuda/runtime/launch.h"
#include "forge/kernels/cuda/runtime/memory.h"
#include "forge/kernels/cuda/runtime/range.h"
#include "forge/kernels/cuda/runtime/stream.h"
#include "tests/simt/simt.h"

namespace forge {
namespace fake_cuda {
namespace {

/// Everything a fake machine has. One lock: launches of several host threads take turns.
struct Machine {
  std::recursive_mutex mutex;
  Settings settings;
  Counts counts;
  std::map<int32_t, int64_t> used;          // bytes, by device
  std::map<int32_t, std::string> failures;  // by device: what was lost and why

  Machine() { read_environment(); }

  void read_environment() {
    const char* text = std::getenv("FORGE_FAKE_CUDA");
    if (text == nullptr) return;
    std::string rest = text;
    while (!rest.empty()) {
      const size_t end = rest.find(',');
      const std::string entry = rest.substr(0, end);
      rest = end == std::string::npos ? "" : rest.substr(end + 1);
      const size_t equals = entry.find('=');
      const std::string name = entry.substr(0, equals);
      const std::string value = entry.substr(equals + 1);
      if (name == "devices") settings.n_devices = std::stoi(value);
      if (name == "memory") settings.total_bytes = std::stoll(value);
      if (name == "capability") settings.compute_capability = std::stoi(value);
      if (name == "driver") settings.no_driver = value;
      if (name == "old_driver") settings.driver_version = std::stoi(value);
      if (name == "fail_after") settings.fail_after = std::stoll(value);
      if (name == "failure") settings.failure = value;
    }
  }
};

Machine& machine() {
  static Machine the_machine;
  return the_machine;
}

using Lock = std::lock_guard<std::recursive_mutex>;

std::string name_of(int32_t device) { return fmt::format("cuda:{} (a fake)", device); }

Status status_of(int32_t device) {
  const auto lost = machine().failures.find(device);
  if (lost == machine().failures.end()) return {};
  return Error{lost->second, ErrorKind::kInternal};
}

}  // namespace

void set(const Settings& settings) {
  const Lock lock(machine().mutex);
  machine().settings = settings;
  machine().failures.clear();
  const int64_t in_use = machine().counts.bytes_in_use;
  machine().counts = {.bytes_in_use = in_use};
}

Counts counts() {
  const Lock lock(machine().mutex);
  return machine().counts;
}

}  // namespace fake_cuda

namespace kernels::cuda {

using fake_cuda::Lock;
using fake_cuda::machine;

struct Stream::State {
  int32_t device = 0;
  std::deque<std::function<void()>> queue;
  uint64_t n_queued = 0;
  uint64_t n_done = 0;
  bool is_recording = false;
  std::vector<std::function<void()>> recorded;
};

struct Event::State {
  Stream::State* stream = nullptr;  // of the last record()
  uint64_t place = 0;               // done when the stream has done so many
  std::chrono::steady_clock::time_point when;
};

struct Graph::State {
  std::vector<std::function<void()>> operations;
};

namespace {

/// Works off a stream until n_done operations are done.
void work_off(Stream::State& stream, uint64_t n_done) {
  while (stream.n_done < n_done) {
    const std::function<void()> operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    operation();
    ++stream.n_done;
  }
}

Status queue(Stream::State& stream, std::function<void()> operation) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(stream.device));
  if (stream.is_recording) {
    stream.recorded.push_back(std::move(operation));
    return {};
  }
  ++machine().counts.n_launches;
  stream.queue.push_back(std::move(operation));
  ++stream.n_queued;
  return {};
}

void lose(int32_t device, const std::string& why) {
  machine().failures.emplace(device, fake_cuda::name_of(device) + ": " + why);
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

}  // namespace

/// As CUDA 13.0's.
constexpr int32_t kRuntimeVersion = 13000;

std::string built_for() { return "8.0; PTX of 8.0"; }

Result<std::vector<DeviceInfo>> list_devices() {
  const Lock lock(machine().mutex);
  const fake_cuda::Settings& settings = machine().settings;
  if (!settings.no_driver.empty()) return no_driver(settings.no_driver);
  if (settings.driver_version < kRuntimeVersion) {
    return driver_too_old(settings.driver_version, kRuntimeVersion);
  }
  if (settings.n_devices == 0) return no_devices();
  std::vector<DeviceInfo> devices;
  for (int32_t i = 0; i < settings.n_devices; ++i) {
    devices.push_back({.index = i,
                       .name = "a fake",
                       .compute_capability = settings.compute_capability,
                       .has_code = settings.compute_capability >= 80,
                       .total_bytes = settings.total_bytes,
                       .free_bytes = 0,
                       .n_processors = 4,
                       .l2_bytes = 1 << 20,
                       .shared_bytes = 227 * 1024,
                       .driver_version = settings.driver_version});
  }
  return devices;
}

Result<DeviceInfo> open_device(int32_t index) {
  FORGE_TRY(const std::vector<DeviceInfo> devices, list_devices());
  FORGE_TRY(DeviceInfo device, pick_device(devices, index, built_for()));
  FORGE_TRY(device.free_bytes, free_memory(index));
  FORGE_TRY_STATUS(fake_cuda::status_of(index));
  return device;
}

Result<int64_t> free_memory(int32_t device) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  return machine().settings.total_bytes - machine().used[device];
}

Result<DeviceMemory> DeviceMemory::allocate(int32_t device, int64_t bytes, std::string_view what) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  const int64_t free = machine().settings.total_bytes - machine().used[device];
  if (bytes > free) {
    return out_of_memory(fake_cuda::name_of(device), bytes, what, free);
  }
  const auto size = static_cast<size_t>((std::max<int64_t>(bytes, 1) + 255) / 256 * 256);
  // A header remembers the size for Free.
  auto* whole = static_cast<std::byte*>(std::aligned_alloc(256, size + 256));
  std::memcpy(whole, &size, sizeof(size));
  std::memset(whole + 256, 0xFF, size);
  machine().used[device] += static_cast<int64_t>(size);
  machine().counts.bytes_in_use += static_cast<int64_t>(size);
  ++machine().counts.n_allocations;
  DeviceMemory memory;
  memory.data_ = {whole + 256, Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

void DeviceMemory::Free::operator()(std::byte* data) const {
  const Lock lock(machine().mutex);
  size_t size = 0;
  std::memcpy(&size, data - 256, sizeof(size));
  machine().used[device] -= static_cast<int64_t>(size);
  machine().counts.bytes_in_use -= static_cast<int64_t>(size);
  std::free(data - 256);
}

Result<PinnedMemory> PinnedMemory::allocate(int32_t device, int64_t bytes, std::string_view) {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  const auto size = static_cast<size_t>((std::max<int64_t>(bytes, 1) + 255) / 256 * 256);
  auto* data = static_cast<std::byte*>(std::aligned_alloc(256, size));
  std::memset(data, 0, size);
  PinnedMemory memory;
  memory.data_ = {data, Free{device}};
  memory.bytes_ = bytes;
  return memory;
}

void PinnedMemory::Free::operator()(std::byte* data) const { std::free(data); }

Result<Event> Event::create(int32_t, Kind) {
  Event event;
  event.state_.reset(new State);
  return event;
}

void Event::Free::operator()(State* state) const { delete state; }

Status Event::record(Stream& stream) {
  const Lock lock(machine().mutex);
  State* state = state_.get();
  FORGE_TRY_STATUS(
      queue(*stream.state(), [state] { state->when = std::chrono::steady_clock::now(); }));
  state->stream = stream.state();
  state->place = stream.state()->n_queued;
  return {};
}

Status Event::wait() {
  const Lock lock(machine().mutex);
  if (state_->stream == nullptr) return {};
  ++machine().counts.n_waits;
  work_off(*state_->stream, state_->place);
  return fake_cuda::status_of(state_->stream->device);
}

Result<bool> Event::is_done() {
  const Lock lock(machine().mutex);
  if (state_->stream == nullptr) return true;
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->stream->device));
  return state_->stream->n_done >= state_->place;
}

Result<double> Event::seconds_between(const Event& first, const Event& last) {
  return std::chrono::duration<double>(last.state_->when - first.state_->when).count();
}

void Graph::Free::operator()(State* state) const { delete state; }

Status Graph::launch(Stream& stream) {
  return queue(*stream.state(), [operations = state_->operations] {
    for (const auto& operation : operations) operation();
  });
}

int64_t Graph::n_nodes() const { return static_cast<int64_t>(state_->operations.size()); }

Result<Stream> Stream::create(int32_t device, Priority) {
  FORGE_TRY_STATUS(fake_cuda::status_of(device));
  Stream stream;
  stream.state_.reset(new State);
  stream.state_->device = device;
  return stream;
}

// As cudaStreamDestroy: what is queued still runs.
void Stream::Free::operator()(State* state) const {
  const Lock lock(machine().mutex);
  work_off(*state, state->n_queued);
  delete state;
}

Status Stream::copy(void* to, const void* from, int64_t bytes) {
  return queue(*state_, [to, from, bytes] { std::memcpy(to, from, static_cast<size_t>(bytes)); });
}

Status Stream::fill(void* to, uint8_t value, int64_t bytes) {
  return queue(*state_, [to, value, bytes] { std::memset(to, value, static_cast<size_t>(bytes)); });
}

Status Stream::wait_for(const Event& event) {
  const Event::State* state = event.state_.get();
  if (state->stream == nullptr || state->stream == state_.get()) return {};
  return queue(*state_, [from = state->stream, place = state->place] { work_off(*from, place); });
}

Status Stream::synchronize() {
  const Lock lock(machine().mutex);
  ++machine().counts.n_waits;
  work_off(*state_, state_->n_queued);
  return fake_cuda::status_of(state_->device);
}

Status Stream::begin_recording() {
  const Lock lock(machine().mutex);
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->device));
  state_->is_recording = true;
  state_->recorded.clear();
  return {};
}

Result<Graph> Stream::end_recording() {
  const Lock lock(machine().mutex);
  state_->is_recording = false;
  FORGE_TRY_STATUS(fake_cuda::status_of(state_->device));
  Graph graph;
  graph.state_.reset(new Graph::State{std::move(state_->recorded)});
  state_->recorded.clear();
  return graph;
}

int32_t Stream::device() const { return state_->device; }

Status launch_body(Stream& stream, const LaunchShape& shape, std::function<void()> body) {
  const auto size = [](int32_t n) { return static_cast<uint32_t>(n); };
  const simt::Launch launch{shape.name,
                            {size(shape.grid.x), size(shape.grid.y), size(shape.grid.z)},
                            {size(shape.n_threads), 1, 1},
                            shape.shared_bytes};
  return queue(*stream.state(), [device = stream.device(), launch, body = std::move(body)] {
    run_kernel(device, launch, body);
  });
}

Range::Range(const char*) {}
Range::~Range() {}

}  // namespace kernels::cuda
}  // namespace forge
