// Trusts: docs/cli.md on forge doctor. The program runs on this machine, and on the tests' fake of
// the CUDA runtime: FORGE_FAKE_CUDA says what it finds.
#include <gtest/gtest.h>

#include <string>

#include "forge/base/json.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

Outcome doctor(const std::string& machine, const std::vector<Environment>& more = {},
               bool json = false) {
  std::vector<std::string> command = {FORGE_FAKE_CUDA_BINARY, "doctor"};
  if (json) command.emplace_back("--json");
  std::vector<Environment> environment = {{"FORGE_FAKE_CUDA", machine}};
  environment.insert(environment.end(), more.begin(), more.end());
  return run_program(command, "", environment);
}

void expect(const Outcome& outcome, int exit_code, const std::string& part) {
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find(part), std::string::npos) << part << "\nin\n" << outcome.out;
}

TEST(Doctor, SaysWhatWillBeUsed) {
  const Outcome outcome = run_forge({"doctor"});
  expect(outcome, 0, "What will be used");
  expect(outcome, 0, "Forge can run.");
  expect(outcome, 0, "Forge Stories");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
}

TEST(Doctor, JsonHasTheNumbers) {
  const Outcome outcome = run_forge({"doctor", "--json"});
  EXPECT_EQ(outcome.exit_code, 0);
  const auto document = json::Document::parse(outcome.out, "stdout");
  ASSERT_TRUE(document.ok()) << document.error().message;
  const json::Value root = document->root();
  EXPECT_EQ(root.find("ok").as_bool(), true);
  EXPECT_GE(root.find("cpu").find("threads").as_int().value_or(0), 1);
  EXPECT_GT(root.find("memory").find("total_bytes").as_int().value_or(0), 1 << 20);
  EXPECT_EQ(root.find("model").find("problem").as_string(), "");
  EXPECT_EQ(root.find("problems").size(), 0u);
}

TEST(Doctor, NamesDevicesAndWhyTheyAreNotUsed) {
  expect(doctor("devices=2"), 0, "cuda:1");
  expect(doctor("devices=2"), 0, "there are 2 GPUs");
  expect(doctor("capability=75"), 0, "compute capability 7.5");
  expect(doctor("capability=75"), 0, "no code for it in this build");
  expect(doctor("driver=none"), 0, "no GPU is used: no NVIDIA driver: none");
  expect(doctor("old_driver=12040"), 0, "it supports CUDA 12.4, this build needs CUDA 13.0");
}

TEST(Doctor, ADeviceThatIsAskedForAndNotThereIsBroken) {
  expect(doctor("driver=none", {{"FORGE_DEVICE", "cuda"}}), 1, "What is broken");
  expect(doctor("driver=none", {{"FORGE_DEVICE", "cuda"}}), 1,
         "FORGE_DEVICE=cuda: no NVIDIA driver: none");
  expect(doctor("devices=1", {{"FORGE_DEVICE", "cuda:9"}}), 1, "there is 1 NVIDIA device");
  const auto document =
      json::Document::parse(doctor("driver=none", {{"FORGE_DEVICE", "cuda"}}, true).out, "stdout");
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->root().find("ok").as_bool(), false);
}

TEST(Doctor, OtherSettingsThatCannotWork) {
  expect(doctor("driver=none", {{"FORGE_ISA", "avx9000"}}), 1, "FORGE_ISA: \"avx9000\"");
  expect(doctor("driver=none", {{"FORGE_MODEL", "/no/such/model"}}), 1, "/no/such/model");
}

TEST(Doctor, TheTokenIsNeverPrinted) {
  for (const bool json : {false, true}) {
    const Outcome outcome = doctor("driver=none", {{"HF_TOKEN", "hf_secretsecretsecret"}}, json);
    expect(outcome, 0, "HF_TOKEN");
    EXPECT_EQ((outcome.out + outcome.err).find("secretsecret"), std::string::npos);
  }
}

TEST(Doctor, TheCacheIsThatOfTheHub) {
  TemporaryFolder folder;
  const std::string cache = folder.path("hub");
  expect(doctor("driver=none", {{"HF_HUB_CACHE", cache}}), 0, cache + " (not there yet)");
  folder.write("hub/models--a--b/blobs/x", "x");
  expect(doctor("driver=none", {{"HF_HUB_CACHE", cache}}), 0, cache + " (writable)");
}

}  // namespace
}  // namespace forge::cli
