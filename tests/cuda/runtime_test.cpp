// Trusts: the contract in kernels/cuda/runtime/*.h. Runs on the fake runtime and on devices.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "tests/cuda/on_device.h"

namespace forge::kernels::cuda {
namespace {

std::vector<int> counted(size_t n, int from) {
  std::vector<int> values(n);
  std::iota(values.begin(), values.end(), from);
  return values;
}

TEST(CudaRuntime, TellsOfItsDevices) {
  const std::vector<DeviceInfo> devices = OnDevice::take(list_devices());
  ASSERT_FALSE(devices.empty());
  const OnDevice on;
  EXPECT_EQ(on.info().name, devices[0].name);
  EXPECT_TRUE(on.info().has_code);
  EXPECT_GE(on.info().compute_capability, 80);
  EXPECT_GT(on.info().free_bytes, 0);
  EXPECT_LE(on.info().free_bytes, on.info().total_bytes);
  EXPECT_GE(on.info().shared_bytes, 48 << 10);
  EXPECT_FALSE(built_for().empty());
}

TEST(CudaRuntime, RefusesADeviceThatIsNotThere) {
  const Result<DeviceInfo> device = open_device(63);
  ASSERT_FALSE(device.ok());
  EXPECT_TRUE(device.error().message.starts_with("cuda:63: there ")) << device.error().message;
}

TEST(CudaRuntime, CopiesAndFillsInOrder) {
  OnDevice on;
  const auto first = on.upload(counted(1000, 5));
  const auto second = on.array<int>(1000);
  EXPECT_EQ(on.download(second), std::vector<int>(1000, -1));
  OnDevice::require(on.stream().copy(second.data(), first.data(), 4000));
  OnDevice::require(on.stream().fill(first.data(), 0, 2000));
  EXPECT_EQ(on.download(second), counted(1000, 5));
  std::vector<int> half_zero = counted(1000, 5);
  std::fill_n(half_zero.begin(), 500, 0);
  EXPECT_EQ(on.download(first), half_zero);
}

TEST(CudaRuntime, WhatDoesNotFitIsToldWithNumbers) {
  const OnDevice on;
  const Result<DeviceMemory> memory =
      DeviceMemory::allocate(0, on.info().total_bytes * 2, "weights");
  ASSERT_FALSE(memory.ok());
  const std::string& message = memory.error().message;
  EXPECT_TRUE(message.starts_with("cuda:0 (" + on.info().name + "): out of memory: ")) << message;
  EXPECT_NE(message.find(" for weights, "), std::string::npos) << message;
  EXPECT_TRUE(message.ends_with(" free")) << message;
  // The device goes on.
  EXPECT_TRUE(DeviceMemory::allocate(0, 1 << 20, "a test").ok());
}

TEST(CudaRuntime, MemoryComesBack) {
  const OnDevice on;
  const int64_t before = OnDevice::take(free_memory(0));
  constexpr int64_t kBytes = int64_t{256} << 20;
  {
    const DeviceMemory memory = OnDevice::take(DeviceMemory::allocate(0, kBytes, "a test"));
    EXPECT_EQ(memory.bytes(), kBytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 256, 0U);
    EXPECT_LE(OnDevice::take(free_memory(0)), before - kBytes);
  }
  EXPECT_GT(OnDevice::take(free_memory(0)), before - kBytes);
}

TEST(CudaRuntime, PinnedMemoryStartsAsZerosAndIsSeenByCopies) {
  OnDevice on;
  const PinnedMemory pinned = OnDevice::take(PinnedMemory::allocate(0, 400, "a test"));
  auto* values = reinterpret_cast<int*>(pinned.data());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(values[i], 0);
  const auto array = on.upload(counted(100, 3));
  OnDevice::require(on.stream().copy(pinned.data(), array.data(), 400));
  OnDevice::require(on.stream().synchronize());
  EXPECT_EQ(std::vector<int>(values, values + 100), counted(100, 3));
}

TEST(CudaRuntime, AnEventMarksWhatWasQueuedBeforeIt) {
  OnDevice on;
  Event event = OnDevice::take(Event::create(0));
  EXPECT_TRUE(OnDevice::take(event.is_done()));
  OnDevice::require(event.wait());
  const PinnedMemory pinned = OnDevice::take(PinnedMemory::allocate(0, 400, "a test"));
  const auto array = on.upload(counted(100, 3));
  OnDevice::require(on.stream().copy(pinned.data(), array.data(), 400));
  OnDevice::require(event.record(on.stream()));
  OnDevice::require(event.wait());
  EXPECT_TRUE(OnDevice::take(event.is_done()));
  EXPECT_EQ(reinterpret_cast<int*>(pinned.data())[99], 102);
}

TEST(CudaRuntime, AStreamWaitsForAnothersEvent) {
  OnDevice on;
  Stream other = OnDevice::take(Stream::create(0, Stream::Priority::kHigh));
  const auto from = on.upload(counted(100, 3));
  const auto middle = on.array<int>(100);
  const auto to = on.array<int>(100);
  OnDevice::require(on.stream().synchronize());
  Event event = OnDevice::take(Event::create(0));
  OnDevice::require(on.stream().copy(middle.data(), from.data(), 400));
  OnDevice::require(event.record(on.stream()));
  OnDevice::require(other.wait_for(event));
  OnDevice::require(other.copy(to.data(), middle.data(), 400));
  OnDevice::require(other.synchronize());
  EXPECT_EQ(on.download(to), counted(100, 3));
}

TEST(CudaRuntime, TimeBetweenEventsIsMeasured) {
  OnDevice on;
  Event first = OnDevice::take(Event::create(0, Event::Kind::kTiming));
  Event last = OnDevice::take(Event::create(0, Event::Kind::kTiming));
  const auto array = on.array<int>(1 << 20);
  OnDevice::require(first.record(on.stream()));
  for (int i = 0; i < 10; ++i) OnDevice::require(on.stream().fill(array.data(), 0, 4 << 20));
  OnDevice::require(last.record(on.stream()));
  OnDevice::require(last.wait());
  const double seconds = OnDevice::take(Event::seconds_between(first, last));
  EXPECT_GT(seconds, 0.0);
  EXPECT_LT(seconds, 10.0);
}

TEST(CudaRuntime, ARecordingRunsWhenItIsLaunchedAndEachTime) {
  OnDevice on;
  const auto a = on.upload(counted(100, 3));
  const auto b = on.array<int>(100);
  const auto c = on.array<int>(100);
  OnDevice::require(on.stream().begin_recording());
  OnDevice::require(on.stream().copy(b.data(), a.data(), 400));
  OnDevice::require(on.stream().copy(c.data(), b.data(), 400));
  Graph graph = OnDevice::take(on.stream().end_recording());
  EXPECT_EQ(graph.n_nodes(), 2);
  EXPECT_EQ(on.download(c), std::vector<int>(100, -1));
  OnDevice::require(graph.launch(on.stream()));
  EXPECT_EQ(on.download(c), counted(100, 3));
  OnDevice::require(on.stream().fill(a.data(), 0, 400));
  OnDevice::require(graph.launch(on.stream()));
  EXPECT_EQ(on.download(c), std::vector<int>(100, 0));
}

}  // namespace
}  // namespace forge::kernels::cuda
