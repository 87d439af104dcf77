// Trusts: docs/cli.md's words for --device, a folder made up here as a machine with a driver.
#include "forge/engine/device_choice.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/temporary_folder.h"

namespace forge::engine {
namespace {

using Kind = DeviceWish::Kind;

TEST(DeviceChoice, ReadsEveryWayToNameADevice) {
  const auto expect = [](std::string_view text, Kind kind, int32_t index) {
    const Result<DeviceWish> wish = parse_device(text);
    ASSERT_TRUE(wish.ok()) << text;
    EXPECT_EQ(wish->kind, kind) << text;
    EXPECT_EQ(wish->index, index) << text;
  };
  expect("auto", Kind::kAuto, 0);
  expect("cpu", Kind::kCpu, 0);
  expect("cuda", Kind::kCuda, 0);
  expect("gpu", Kind::kCuda, 0);
  expect("cuda:0", Kind::kCuda, 0);
  expect("cuda:12", Kind::kCuda, 12);
  expect("gpu:3", Kind::kCuda, 3);
}

TEST(DeviceChoice, RefusesTheRest) {
  for (const std::string text :
       {"", "tpu", "CUDA", "cpu:0", "auto:1", "cuda:", "cuda:-1", "cuda:+1", "cuda:1x", "cuda: 1",
        "cuda:99999999999", "cuda:1:2", ":1"}) {
    const Result<DeviceWish> wish = parse_device(text);
    ASSERT_FALSE(wish.ok()) << text;
    EXPECT_EQ(wish.error().message, text + ": expected auto, cpu, cuda or cuda:N");
  }
}

TEST(DeviceChoice, TheDriverIsSeenWhereTheKernelShowsIt) {
  const TemporaryFolder root;
  EXPECT_FALSE(has_nvidia_driver(root.path()));
  std::filesystem::create_directories(root.path() + "/proc/driver/nvidia");
  EXPECT_FALSE(has_nvidia_driver(root.path()));
  std::ofstream(root.path() + "/proc/driver/nvidia/version") << "NVRM version: x\n";
  EXPECT_TRUE(has_nvidia_driver(root.path()));
  const TemporaryFolder other;
  std::filesystem::create_directories(other.path() + "/dev");
  std::ofstream(other.path() + "/dev/nvidia0") << "";
  EXPECT_TRUE(has_nvidia_driver(other.path()));
}

TEST(DeviceChoice, TheCpuNeedsNothing) {
  EXPECT_TRUE(check_device({Kind::kCpu, 0}).ok());
  EXPECT_TRUE(check_device({Kind::kAuto, 0}).ok());
  EXPECT_EQ(DeviceChoice{}.name(), "cpu");
  EXPECT_EQ((DeviceChoice{.cuda = 2, .text = "", .memory = {}}).name(), "cuda:2");
}

}  // namespace
}  // namespace forge::engine
