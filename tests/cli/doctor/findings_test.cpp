// Trusts: the rules of docs/cli.md on forge doctor, on machines made up here.
#include "forge/cli/doctor/findings.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "forge/cli/doctor/doctor_report.h"

namespace forge::cli::doctor {
namespace {

/// A machine with nothing to complain of.
Facts good_machine() {
  Facts facts;
  facts.cpu = {.model = "A CPU",
               .n_machine = 8,
               .n_affinity = 8,
               .quota = std::nullopt,
               .n_usable = 8,
               .n_threads = 4,
               .n_numa_nodes = 1,
               .isa = "avx512",
               .isa_problem = {},
               .isa_is_forced = false,
               .next_isa = "amx",
               .next_needs = {"amx_tile"}};
  facts.memory = {.total_bytes = int64_t{32} << 30,
                  .available_bytes = int64_t{16} << 30,
                  .limit = "the machine",
                  .transparent_huge_pages = "madvise",
                  .n_huge_pages = 0,
                  .locked_bytes = std::nullopt};
  facts.cache.folder = "/cache";
  facts.cache.is_writable = true;
  facts.cache.free_bytes = int64_t{100} << 30;
  facts.model = {
      .origin = "default", .name = "stories", .problem = {}, .device = "cpu", .milliseconds = 5.0};
  facts.encoding = "UTF-8";
  return facts;
}

void expect_hint(const Facts& facts, std::string_view part) {
  const Findings findings = judge(facts);
  EXPECT_EQ(findings.hints.size(), 1u);
  EXPECT_TRUE(findings.problems.empty());
  ASSERT_FALSE(findings.hints.empty()) << part;
  EXPECT_NE(findings.hints[0].find(part), std::string::npos) << findings.hints[0];
}

void expect_problem(const Facts& facts, std::string_view part) {
  const Findings findings = judge(facts);
  ASSERT_EQ(findings.problems.size(), 1u);
  EXPECT_NE(findings.problems[0].find(part), std::string::npos) << findings.problems[0];
}

GpuFacts gpu() {
  return {.index = 0,
          .name = "G",
          .capability = "9.0",
          .total_bytes = 1000,
          .free_bytes = 900,
          .has_code = true,
          .problem = {}};
}

TEST(Findings, AGoodMachineHasNoHints) {
  const Findings findings = judge(good_machine());
  EXPECT_TRUE(findings.hints.empty());
  EXPECT_TRUE(findings.problems.empty());
  EXPECT_EQ(findings.uses.size(), 3u);
}

TEST(Findings, OneHintForEachShortfall) {
  Facts facts = good_machine();
  facts.cpu.n_affinity = 4;
  expect_hint(facts, "may run on 4 of 8 CPUs");
  facts = good_machine();
  facts.cpu.quota = 2.5;
  expect_hint(facts, "allows 2.5 of 8 CPUs' time");
  facts.cpu.quota = 8.0;
  EXPECT_TRUE(judge(facts).hints.empty());
  facts = good_machine();
  facts.cpu.n_numa_nodes = 2;
  expect_hint(facts, "2 NUMA nodes");
  facts = good_machine();
  facts.cpu.isa_is_forced = true;
  facts.cpu.next_needs.clear();
  expect_hint(facts, "FORGE_ISA=avx512 is set; this CPU also runs amx");
  facts = good_machine();
  facts.memory.available_bytes = 1 << 20;
  expect_hint(facts, "1.00 MiB of memory is free");
  facts = good_machine();
  facts.memory.limit = "the control group /x";
  expect_hint(facts, "the control group /x allows less memory");
  facts = good_machine();
  facts.memory.transparent_huge_pages = "never";
  expect_hint(facts, "huge pages are off");
  facts = good_machine();
  facts.cache.is_writable = false;
  expect_hint(facts, "/cache cannot be written");
  facts = good_machine();
  facts.cache.free_bytes = 1 << 20;
  expect_hint(facts, "1.00 MiB free where models are kept");
  facts = good_machine();
  facts.cache.is_offline = true;
  expect_hint(facts, "HF_HUB_OFFLINE");
}

TEST(Findings, DevicesThatAreNotUsed) {
  Facts facts = good_machine();
  facts.cuda.has_kernel_driver = true;
  expect_hint(facts, "built without CUDA");
  facts.cuda.built_for = "9.0";
  facts.cuda.problem = "no NVIDIA driver: x";
  expect_hint(facts, "no GPU is used: no NVIDIA driver: x");
  facts.cuda.problem = {};
  facts.cuda.devices = {gpu()};
  EXPECT_TRUE(judge(facts).hints.empty());
  facts.cuda.devices[0].free_bytes = 100;
  expect_hint(facts, "100 B of 1000 B free");
  facts.cuda.devices[0].has_code = false;
  expect_hint(facts, "has compute capability 9.0, this program has code for 9.0");
  facts.cuda.devices = {gpu(), gpu()};
  expect_hint(facts, "there are 2 GPUs");
}

TEST(Findings, WhatIsBroken) {
  Facts facts = good_machine();
  facts.cpu.isa_problem = "FORGE_ISA: no";
  expect_problem(facts, "FORGE_ISA: no");
  facts = good_machine();
  facts.cuda.wanted = "cuda";
  facts.cuda.wanted_problem = "no NVIDIA driver";
  facts.model.problem = "no NVIDIA driver";
  expect_problem(facts, "FORGE_DEVICE=cuda: no NVIDIA driver");
  facts = good_machine();
  facts.model.origin = "FORGE_MODEL";
  facts.model.problem = "/x: no such file";
  expect_problem(facts, "FORGE_MODEL: /x: no such file");
}

TEST(Findings, TheTextFitsTheTerminal) {
  Facts facts = good_machine();
  facts.cpu.quota = 2.0;
  for (const int n_columns : {40, 80}) {
    const std::string text = as_text(facts, judge(facts), n_columns);
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      EXPECT_LT(end - at, static_cast<size_t>(n_columns)) << text.substr(at, end - at);
      at = end + 1;
    }
    EXPECT_NE(text.find("amx_tile"), std::string::npos);
  }
}

}  // namespace
}  // namespace forge::cli::doctor
