// Trusts cgroups(7) and proc_pid_mountinfo(5): files written by hand as a kernel would show them.
#include "forge/base/cpu_count.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>
#include <thread>

#include "tests/temporary_folder.h"

namespace forge {
namespace {

class CgroupTest : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const { root_.write(path, text); }
  void mount_v2(const std::string& at, const std::string& shows = "/") {
    mounts_ += "31 23 0:28 " + shows + " " + root_.path(at) +
               " rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
  }
  void mount_v1(const std::string& at, const std::string& controllers,
                const std::string& shows = "/") {
    mounts_ += "32 31 0:29 " + shows + " " + root_.path(at) + " rw,relatime - cgroup cgroup rw," +
               controllers + "\n";
  }
  [[nodiscard]] std::optional<double> quota(const std::string& cgroups) const {
    write("cgroup", cgroups);
    write("mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n" + mounts_);
    return cgroup_cpu_quota(root_.path("cgroup"), root_.path("mountinfo"));
  }

  TemporaryFolder root_;
  std::string mounts_;
};

TEST_F(CgroupTest, NoLimitIsNone) {
  EXPECT_EQ(quota("0::/\n"), std::nullopt) << "nothing is mounted";
  mount_v2("v2");
  EXPECT_EQ(quota("0::/\n"), std::nullopt) << "the root has no cpu.max";
  write("v2/a/cpu.max", "max 100000\n");
  EXPECT_EQ(quota("0::/a\n"), std::nullopt);
  mount_v1("v1", "cpu,cpuacct");
  write("v1/cpu.cfs_quota_us", "-1\n");
  write("v1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("0::/a\n4:cpu,cpuacct:/\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpu_quota("/nonexistent", "/nonexistent"), std::nullopt);
}

TEST_F(CgroupTest, TheTightestLimitOnTheWayUpCountsInV2) {
  mount_v2("v2");
  write("v2/slice/cpu.max", "150000 100000\n");
  write("v2/slice/unit/cpu.max", "400000 100000\n");
  write("v2/slice/unit/deep/cpu.max", "max 100000\n");
  write("v2/slice/tight/cpu.max", "20000 50000\n");
  EXPECT_EQ(quota("0::/slice/unit/deep\n"), 1.5);
  EXPECT_EQ(quota("0::/slice/tight\n"), 0.4);
  EXPECT_EQ(quota("0::/slice\n"), 1.5);
  EXPECT_EQ(quota("0::/\n"), std::nullopt);
}

TEST_F(CgroupTest, TheTightestLimitOnTheWayUpCountsInV1) {
  mount_v1("cpuset", "cpuset");  // not the controller "cpu"
  mount_v1("cpu", "cpu,cpuacct");
  write("cpu/docker/cpu.cfs_quota_us", "300000\n");
  write("cpu/docker/cpu.cfs_period_us", "100000\n");
  write("cpu/docker/1/cpu.cfs_quota_us", "-1\n");
  write("cpu/docker/1/cpu.cfs_period_us", "100000\n");
  write("cpuset/docker/1/cpu.cfs_quota_us", "1\n");
  write("cpuset/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("5:cpuset:/docker/1\n4:cpuacct,cpu:/docker/1\n0::/\n"), 3.0);
}

// A container sees its own cgroup as the mount's root.
TEST_F(CgroupTest, AMountThatShowsOnlyThePartBelow) {
  mount_v2("v2", "/docker/1");
  write("v2/cpu.max", "250000 100000\n");
  write("v2/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota("0::/docker/1/job\n"), 2.0);
  EXPECT_EQ(quota("0::/docker/1\n"), 2.5);
  EXPECT_EQ(quota("0::/docker/11/job\n"), 2.5) << "another cgroup: only what the mount shows";
}

TEST_F(CgroupTest, ACgroupOutsideTheNamespaceIsNotFollowed) {
  mount_v2("v2");
  write("cpu.max", "100000 100000\n");  // above the mount point
  write("v2/cpu.max", "200000 100000\n");
  EXPECT_EQ(quota("0::/../sibling\n"), 2.0);
}

TEST_F(CgroupTest, BothVersionsAtOnceGiveTheTighter) {
  mount_v2("unified");
  mount_v1("cpu", "cpu");
  write("unified/a/cpu.max", "300000 100000\n");
  write("cpu/b/cpu.cfs_quota_us", "200000\n");
  write("cpu/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota("1:cpu:/b\n0::/a\n"), 2.0);
}

TEST_F(CgroupTest, BrokenFilesSayNothing) {
  mount_v2("v2");
  write("v2/a/cpu.max", "abc\n");
  write("v2/a/b/cpu.max", "0 100000\n");
  write("v2/a/b/c/cpu.max", "100000 0\n");
  EXPECT_EQ(quota("nonsense\n0:\n0::/a/b/c\n"), std::nullopt);
}

TEST(CpuCount, StaysWithinTheMachine) {
  EXPECT_GE(usable_cpu_count(), 1);
  EXPECT_LE(usable_cpu_count(), static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_GE(default_thread_count(), 1);
  EXPECT_LE(default_thread_count(), usable_cpu_count());
}

TEST(CpuCount, FollowsTheAffinityMask) {
  // In a thread of its own, whose mask goes with it.
  std::thread([] {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET(static_cast<size_t>(sched_getcpu()), &mask);
    ASSERT_EQ(sched_setaffinity(0, sizeof(mask), &mask), 0);
    EXPECT_EQ(usable_cpu_count(), 1);
    EXPECT_EQ(default_thread_count(), 1);
  }).join();
}

}  // namespace
}  // namespace forge
