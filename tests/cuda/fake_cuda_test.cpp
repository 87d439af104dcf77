// Trusts: what docs/gpu-testing.md says of the fake CUDA runtime.
#define FORGE_SIMT
#include "tests/simt/fake_cuda.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "forge/kernels/cuda/runtime/launch.h"
#include "tests/cuda/on_device.h"
#include "tests/simt/simt.h"

namespace forge::kernels::cuda {
namespace {

/// Every test leaves the machine as it found it.
class FakeCuda : public ::testing::Test {
 protected:
  void SetUp() override { fake_cuda::set({}); }
  void TearDown() override { fake_cuda::set({}); }

  int counter_ = 0;  // outlives the streams, which run what is left when they go
};

void count(int* counter) {
  if (simt::thread_idx().x == 0) ++*counter;
}
void meet_nobody(int*) {
  if (simt::thread_idx().x == 0) simt::barrier();
  if (simt::thread_idx().x == 1) (void)simt::meet("shuffle", 1, simt::Where::current());
}

Status start(OnDevice& on, void (*kernel)(int*), int* counter) {
  return launch(on.stream(), {.name = "a kernel", .grid = {}, .n_threads = 32}, kernel, counter);
}

TEST_F(FakeCuda, NothingRunsBeforeSomebodyWaits) {
  OnDevice on;
  OnDevice::require(start(on, count, &counter_));
  OnDevice::require(start(on, count, &counter_));
  EXPECT_EQ(counter_, 0);
  OnDevice::require(on.stream().synchronize());
  EXPECT_EQ(counter_, 2);
}

TEST_F(FakeCuda, AnEventIsWaitedForAndNoMore) {
  OnDevice on;
  Event event = OnDevice::take(Event::create(0));
  OnDevice::require(start(on, count, &counter_));
  OnDevice::require(event.record(on.stream()));
  OnDevice::require(start(on, count, &counter_));
  OnDevice::require(event.wait());
  EXPECT_EQ(counter_, 1);
}

TEST_F(FakeCuda, WhoAsksAgainAndAgainComesToAnEnd) {
  OnDevice on;
  Event event = OnDevice::take(Event::create(0));
  for (int i = 0; i < 5; ++i) OnDevice::require(start(on, count, &counter_));
  OnDevice::require(event.record(on.stream()));
  EXPECT_FALSE(OnDevice::take(event.is_done()));
  int n_asked = 1;
  while (!OnDevice::take(event.is_done())) ++n_asked;
  EXPECT_EQ(n_asked, 6);
  EXPECT_EQ(counter_, 5);
}

TEST_F(FakeCuda, StreamsThatNothingOrdersAreNotInOrder) {
  OnDevice on;
  Stream other = OnDevice::take(Stream::create(0));
  const auto from = on.upload(std::vector<int>{7});
  const auto to = on.array<int>(1);
  OnDevice::require(on.stream().synchronize());
  OnDevice::require(on.stream().fill(from.data(), 0, 4));
  OnDevice::require(other.copy(to.data(), from.data(), 4));
  OnDevice::require(other.synchronize());
  EXPECT_EQ(on.download(to)[0], 7);
}

TEST_F(FakeCuda, AnEventMayOutliveItsStream) {
  OnDevice on;
  Event event = OnDevice::take(Event::create(0));
  {
    Stream stream = OnDevice::take(Stream::create(0));
    OnDevice::require(
        launch(stream, {.name = "a kernel", .grid = {}, .n_threads = 32}, count, &counter_));
    OnDevice::require(event.record(stream));
  }
  EXPECT_EQ(counter_, 1);
  EXPECT_TRUE(OnDevice::take(event.is_done()));
  OnDevice::require(event.wait());
}

TEST_F(FakeCuda, ALostDeviceStaysLostWithWhatHappenedFirst) {
  OnDevice on;
  fake_cuda::set({.fail_after = 2});
  for (int i = 0; i < 4; ++i) OnDevice::require(start(on, count, &counter_));
  const Status status = on.stream().synchronize();
  ASSERT_FALSE(status.ok());
  const std::string why = "cuda:0 (a fake): an uncorrectable ECC error was encountered";
  EXPECT_EQ(status.error().message, why);
  EXPECT_EQ(counter_, 2);
  const auto expect_lost = [&why](const auto& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message, why);
  };
  expect_lost(start(on, count, &counter_));
  expect_lost(on.stream().synchronize());
  expect_lost(on.stream().begin_recording());
  expect_lost(DeviceMemory::allocate(0, 16, "a test"));
  expect_lost(PinnedMemory::allocate(0, 16, "a test"));
  expect_lost(Stream::create(0));
  expect_lost(Event::create(0));
  expect_lost(open_device(0));
}

TEST_F(FakeCuda, AnotherDeviceGoesOn) {
  OnDevice on;
  fake_cuda::set({.n_devices = 2, .fail_after = 0});
  OnDevice::require(start(on, count, &counter_));
  EXPECT_FALSE(on.stream().synchronize().ok());
  EXPECT_TRUE(open_device(1).ok());
  EXPECT_TRUE(DeviceMemory::allocate(1, 16, "a test").ok());
}

TEST_F(FakeCuda, AKernelsFaultLosesTheDeviceAndNamesIt) {
  OnDevice on;
  OnDevice::require(start(on, meet_nobody, &counter_));
  const Status status = on.stream().synchronize();
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(status.error().message.starts_with("cuda:0 (a fake): a kernel, block (0, 0, 0): "))
      << status.error().message;
}

TEST_F(FakeCuda, MemoryIsCountedByDevice) {
  fake_cuda::set({.n_devices = 2, .total_bytes = 1 << 20});
  const DeviceMemory most = OnDevice::take(DeviceMemory::allocate(0, 1000 << 10, "a test"));
  EXPECT_FALSE(DeviceMemory::allocate(0, 100 << 10, "a test").ok());
  EXPECT_TRUE(DeviceMemory::allocate(1, 100 << 10, "a test").ok());
  EXPECT_EQ(fake_cuda::counts().n_allocations, 2);
  EXPECT_EQ(OnDevice::take(free_memory(0)), 24 << 10);
}

TEST_F(FakeCuda, ItCountsWhatTheHostDoes) {
  OnDevice on;
  OnDevice::require(on.stream().begin_recording());
  for (int i = 0; i < 3; ++i) OnDevice::require(start(on, count, &counter_));
  Graph graph = OnDevice::take(on.stream().end_recording());
  fake_cuda::set({});
  for (int i = 0; i < 2; ++i) OnDevice::require(graph.launch(on.stream()));
  OnDevice::require(on.stream().synchronize());
  EXPECT_EQ(fake_cuda::counts().n_launches, 2);
  EXPECT_EQ(fake_cuda::counts().n_kernels, 6);
  EXPECT_EQ(fake_cuda::counts().n_waits, 1);
  EXPECT_EQ(counter_, 6);
}

TEST_F(FakeCuda, TheOrderOfAWholeProgramComesFromItsEnvironment) {
  const auto order_of = [](const char* text) {
    ::setenv("FORGE_SIMT_ORDER", text, 1);
    const simt::Settings settings = simt::settings_of_environment();
    ::unsetenv("FORGE_SIMT_ORDER");
    return settings;
  };
  EXPECT_EQ(simt::settings_of_environment().order, simt::Order::kForward);
  EXPECT_EQ(order_of("reverse").order, simt::Order::kReverse);
  EXPECT_EQ(order_of("random").order, simt::Order::kRandom);
  EXPECT_EQ(order_of("warps").order, simt::Order::kWarpByWarp);
  EXPECT_EQ(order_of("warps-reverse").order, simt::Order::kWarpByWarpReverse);
  EXPECT_EQ(order_of("random:77").seed, 77U);
  EXPECT_THROW((void)order_of("random:x"), simt::Fault);
  EXPECT_THROW((void)order_of("backwards"), simt::Fault);
  ::unsetenv("FORGE_SIMT_ORDER");
}

}  // namespace
}  // namespace forge::kernels::cuda
