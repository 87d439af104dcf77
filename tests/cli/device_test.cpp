// Trusts: docs/cli.md. The program runs on the tests' fake of the CUDA runtime: FORGE_FAKE_CUDA
// says what machine it finds.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cli/program.h"
#include "tests/temporary_folder.h"

namespace forge::cli {
namespace {

Outcome generate(const std::string& machine, const std::vector<std::string>& flags,
                 const std::vector<Environment>& environment = {}) {
  std::vector<std::string> command = {FORGE_FAKE_CUDA_BINARY, "generate", "--prompt", "Once",
                                      "--max-tokens",         "2"};
  command.insert(command.end(), flags.begin(), flags.end());
  std::vector<Environment> all = {{"FORGE_FAKE_CUDA", machine}};
  all.insert(all.end(), environment.begin(), environment.end());
  return run_program(command, "", all);
}

void expect_line(const Outcome& outcome, const std::string& part) {
  for (const std::string& line : outcome.err_lines()) {
    if (line.find(part) != std::string::npos) return;
  }
  ADD_FAILURE() << "no line with \"" << part << "\" in\n" << outcome.err;
}

void expect_refused(const Outcome& outcome, int exit_code, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  expect_line(outcome, part);
}

TEST(Device, AutoTakesTheCpuAndSaysWhy) {
  const auto expect = [](const std::string& machine, const std::string& why) {
    const Outcome outcome = generate(machine, {});
    EXPECT_EQ(outcome.exit_code, 0);
    expect_line(outcome, "forge: device cpu (auto: " + why);
    EXPECT_EQ(outcome.err_lines().size(), 3u) << outcome.err;
  };
  expect("driver=libcuda.so.1 cannot be loaded",
         "no NVIDIA driver: libcuda.so.1 cannot be loaded)");
  expect("devices=0", "no NVIDIA device)");
  expect("capability=75", "cuda:0 (a fake): its compute capability is 7.5, this build is for 8.0");
  expect("memory=1000000", "cuda:0 (a fake) with --gpu-memory-fraction 0.9: not enough memory: ");
}

TEST(Device, WhatWasAskedForIsHadOrRefused) {
  expect_refused(generate("driver=none", {"--device", "cuda"}), 2,
                 "--device cuda: no NVIDIA driver: none");
  expect_refused(generate("driver=none", {}, {{"FORGE_DEVICE", "gpu"}}), 2,
                 "--device gpu: no NVIDIA driver: none");
  expect_refused(generate("old_driver=12040", {"--device", "cuda"}), 2,
                 "the NVIDIA driver is too old: it supports CUDA 12.4, this build needs CUDA 13.0");
  expect_refused(generate("devices=2", {"--device", "cuda:9"}), 2,
                 "cuda:9: there are 2 NVIDIA devices");
  expect_refused(generate("devices=1", {"--device", "cuda:1"}, {{"CUDA_VISIBLE_DEVICES", "3"}}), 2,
                 "cuda:1: there is 1 NVIDIA device (CUDA_VISIBLE_DEVICES is \"3\")");
  expect_refused(generate("capability=75", {"--device", "cuda"}), 2,
                 "its compute capability is 7.5, this build is for 8.0");
  expect_refused(generate("memory=1000000", {"--device", "cuda"}), 1,
                 "not enough memory: weights ");
}

TEST(Device, FlagsThatADeviceDoesNotHaveAreRefused) {
  expect_refused(generate("", {"--device", "cpu", "--dtype", "f16"}), 2,
                 "--dtype f16: for NVIDIA devices");
  expect_refused(generate("", {"--device", "cpu", "--dtype", "tf32"}), 2,
                 "--dtype tf32: for NVIDIA devices");
  expect_refused(generate("driver=none", {"--dtype", "tf32"}), 1,
                 "products in tf32 are for NVIDIA devices, and this is device cpu (auto: ");
  for (const std::string dtype : {"tf32", "f32"}) {
    const auto refused = [&](const std::vector<std::string>& flags, int code,
                             const std::string& why) {
      std::vector<std::string> all = {"--device", "cuda", "--dtype", dtype};
      all.insert(all.end(), flags.begin(), flags.end());
      expect_refused(generate("", all), code, why);
    };
    refused({"--quantize", "q8_0"}, 2,
            "--quantize q8_0: with --dtype " + dtype + " weights stay as they are");
    refused({"--fast-nondeterministic"}, 1, "it is for products in bf16; with --dtype " + dtype);
    refused({"--kv-dtype", "int8"}, dtype == "f32" ? 2 : 1, dtype);
  }
  for (const std::string fraction : {"0.04", "0.99", "-1", "nan"}) {
    expect_refused(generate("", {"--gpu-memory-fraction", fraction}), 2,
                   "--gpu-memory-fraction " + fraction + ": expected 0.05 to 0.98");
  }
}

TEST(Device, ProductsAndCacheAreOfTheTypeThatWasAskedFor) {
  const Outcome f16 = generate("", {"--device", "cuda", "--dtype", "f16", "--kv-dtype", "f16"});
  EXPECT_EQ(f16.exit_code, 0);
  expect_line(f16, "forge: device cuda:0 (a fake), products in f16");
  expect_refused(generate("", {"--device", "cuda", "--dtype", "f16", "--kv-dtype", "bf16"}), 1,
                 "on an NVIDIA device with products in f16 expected f16, fp8 or int8");
  expect_refused(generate("", {"--device", "cuda", "--kv-dtype", "f32"}), 1,
                 "on an NVIDIA device with products in bf16 expected bf16, fp8 or int8");
  const Outcome f32 = generate("", {"--device", "cuda", "--dtype", "f32", "--kv-dtype", "f32"});
  EXPECT_EQ(f32.exit_code, 0);
  expect_line(f32, "forge: device cuda:0 (a fake), products in f32");
  const Outcome tf32 = generate("", {"--dtype", "tf32", "--kv-dtype", "tf32"});
  EXPECT_EQ(tf32.exit_code, 0);
  expect_line(tf32, "(a fake, auto), products in tf32");
}

TEST(Device, FastNondeterministicIsHadRefusedOrALine) {
  const std::string flag = "--fast-nondeterministic";
  expect_refused(generate("", {"--device", "cpu", flag}), 2,
                 "--fast-nondeterministic: for NVIDIA devices; leave it away on the CPU");
  const Outcome on_cpu = generate("driver=none", {flag});
  EXPECT_EQ(on_cpu.exit_code, 0) << on_cpu.err;
  expect_line(on_cpu, "forge: --fast-nondeterministic does nothing on the CPU");
  expect_refused(generate("", {"--device", "cuda", flag}, {{"FORGE_CUBLASLT", "/nowhere/lt.so"}}),
                 1, "--fast-nondeterministic needs cuBLASLt, which cannot be opened: /nowhere/lt");

  const TemporaryFolder folder;
  const std::vector<Environment> standin = {{"FORGE_CUBLASLT", FORGE_CUBLASLT_STANDIN},
                                            {"XDG_CACHE_HOME", folder.path()},
                                            {"FORGE_CUBLASLT_ALL", "1"}};
  const Outcome too_short = generate("", {"--device", "cuda", "--temperature", "0", flag}, standin);
  EXPECT_EQ(too_short.exit_code, 0) << too_short.err;
  expect_line(too_short, "cuBLASLt 13.1.0 has nothing to do: steps have ");
  expect_line(too_short, "device cuda:0 (a fake), products in bf16, fast-nondeterministic");
  EXPECT_EQ(generate("", {"--device", "cuda", "--temperature", "0"}).out, too_short.out);
}

TEST(Device, AutoWithF32IsTheCpu) {
  const Outcome outcome = generate("", {"--dtype", "f32"});
  EXPECT_EQ(outcome.exit_code, 0);
  expect_line(outcome, "device cpu (auto: the reference arithmetic is the CPU's)");
}

TEST(Device, VersionNamesThem) {
  const auto version = [](const std::string& machine) {
    return run_program({FORGE_FAKE_CUDA_BINARY, "version"}, "", {{"FORGE_FAKE_CUDA", machine}}).out;
  };
  EXPECT_NE(
      version("devices=2").find("\n                cuda:1 (a fake), compute capability 9.0, "),
      std::string::npos);
  EXPECT_NE(version("driver=none").find("no cuda: no NVIDIA driver: none"), std::string::npos);
  EXPECT_NE(version("capability=75").find("no code for it in this build"), std::string::npos);
}

TEST(Device, ABuildWithoutCudaSaysSo) {
  const Outcome version = run_forge({"version"});
  if (version.out.find("FORGE_CUDA=ON") != std::string::npos) GTEST_SKIP() << "built with CUDA";
  EXPECT_NE(version.out.find("cuda          not in this build"), std::string::npos) << version.out;
  expect_refused(run_forge({"generate", "--prompt", "a", "--device", "gpu"}), 2,
                 "--device gpu: this build of forge has no CUDA");
}

}  // namespace
}  // namespace forge::cli
