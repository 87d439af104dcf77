// Trusts: examples written out here, one good and one bad for each rule, so that no rule is asleep.
#include "tests/tree/source_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace forge::tree {
namespace {

std::string include_line(const std::string& target) {
  return "#include \"forge/" + target + "\"\n";
}

TEST(SourceRules, IncludesDownTheLadderPass) {
  EXPECT_TRUE(check_includes("src/forge/models/a.cpp",
                             include_line("models/b.h") + include_line("kernels/c.h") +
                                 include_line("base/d.h") + "#include <map>\n")
                  .empty());
  EXPECT_TRUE(check_includes("src/forge/cli/a.cpp", include_line("build_info.h")).empty());
}

TEST(SourceRules, AnUpwardIncludeIsFoundWithItsLine) {
  const auto found =
      check_includes("src/forge/base/a.cpp", "// x\n\n#  include \"forge/tensor/view.h\"\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], "src/forge/base/a.cpp:3: base may not include tensor");
}

TEST(SourceRules, ASidewaysIncludeIsFound) {
  EXPECT_EQ(check_includes("src/forge/formats/a.h", include_line("text/b.h")).size(), 1U);
  EXPECT_EQ(check_includes("src/forge/kernels/ref/a.h", include_line("cache/b.h")).size(), 1U);
}

TEST(SourceRules, TextSeesBaseOnly) {
  EXPECT_EQ(check_includes("src/forge/text/a.h", include_line("tensor/b.h")).size(), 1U);
}

TEST(SourceRules, TheBundledModelIsForEngineAndCli) {
  EXPECT_TRUE(check_includes("src/forge/engine/a.cpp", include_line("bundled/b.h")).empty());
  EXPECT_EQ(check_includes("src/forge/models/a.cpp", include_line("bundled/b.h")).size(), 1U);
  EXPECT_EQ(check_includes("src/forge/models/a.cpp", include_line("build_info.h")).size(), 1U);
}

TEST(SourceRules, ThePublicApiIsForEngineAndAbove) {
  EXPECT_TRUE(check_includes("src/forge/engine/a.h", include_line("request.h")).empty());
  EXPECT_TRUE(check_includes("src/forge/cli/a.h", include_line("request.h")).empty());
  EXPECT_TRUE(check_includes("src/forge/base/a.h", include_line("result.h")).empty());
  EXPECT_EQ(check_includes("src/forge/models/a.h", include_line("request.h")).size(), 1U);
}

TEST(SourceRules, AnUnknownLayerIsFound) {
  EXPECT_EQ(check_includes("src/forge/extras/a.cpp", "").size(), 1U);
  EXPECT_EQ(check_includes("src/forge/a.cpp", "").size(), 1U);
}

TEST(SourceRules, TheClientKnowsNoServer) {
  const std::string path = "src/forge/server/client/a.cpp";
  EXPECT_TRUE(
      check_includes(path, include_line("server/client/b.h") + include_line("base/c.h")).empty());
  EXPECT_EQ(check_includes(path, include_line("server/http/b.h")).size(), 1U);
  EXPECT_EQ(check_includes(path, include_line("engine.h")).size(), 1U);
  EXPECT_TRUE(check_includes("src/forge/cli/a.cpp", include_line("server/client/b.h")).empty());
}

TEST(SourceRules, RapidJsonStaysInBase) {
  const std::string line = "#include <rapidjson/document.h>\n";
  EXPECT_TRUE(check_includes("src/forge/base/json.cpp", line).empty());
  EXPECT_EQ(check_includes("src/forge/formats/hf_config.cpp", line).size(), 1U);
}

TEST(SourceRules, CudaHeadersStayBelowTheirKernels) {
  const std::string line = "#include <cuda_runtime.h>\n";
  EXPECT_TRUE(check_includes("src/forge/kernels/cuda/a.cu", line).empty());
  EXPECT_EQ(check_includes("src/forge/engine/a.cpp", line).size(), 1U);
}

TEST(SourceRules, IncludesAreWrittenFromTheRoot) {
  EXPECT_EQ(check_includes("src/forge/base/a.cpp", "#include \"b.h\"\n").size(), 1U);
}

TEST(SourceRules, AFileOpensWithWhatItIs) {
  EXPECT_TRUE(check_opening("src/a.h", "// Bytes.\n#pragma once\n").empty());
  EXPECT_TRUE(check_opening("src/a.cpp", "#include \"forge/a.h\"\n").empty());
  EXPECT_TRUE(check_opening("tools/a.sh", "#!/bin/sh\n# Builds.\n").empty());
  EXPECT_TRUE(check_opening("tools/a.py", "\"\"\"Trains.\"\"\"\n").empty());
  EXPECT_EQ(check_opening("tests/a_test.cpp", "#include <map>\n").size(), 1U);
  EXPECT_EQ(check_opening("tests/a_test.cpp", "").size(), 1U);
  EXPECT_EQ(check_opening("tools/a.sh", "#!/bin/sh\nset -e\n").size(), 1U);
  EXPECT_EQ(check_opening("src/a.h", "// Bytes.\n#include <map>\n").size(), 1U);
}

TEST(SourceRules, EmptyNamesAreFound) {
  EXPECT_TRUE(check_path_names("src/forge/base/common_prefix.h").empty());
  EXPECT_EQ(check_path_names("src/forge/utils/a.h").size(), 1U);
  EXPECT_EQ(check_path_names("tests/base/helpers.cpp").size(), 1U);
}

TEST(SourceRules, MachinePathsAreFound) {
  // Put together here, so that this file itself passes.
  const std::string slash = "/";
  EXPECT_TRUE(check_machine_paths("a.md", "see models/home/page and https://a.org/home/x").empty());
  EXPECT_EQ(check_machine_paths("a.sh", "cd " + slash + "home/ann/forge\n").size(), 1U);
  EXPECT_EQ(check_machine_paths("a.py", "x\nopen(\"" + slash + "work/data\")\n")[0],
            "a.py:2: a path of one machine");
}

TEST(SourceRules, UntidyWhitespaceIsFound) {
  EXPECT_TRUE(check_whitespace("a.h", "x\n").empty());
  EXPECT_TRUE(check_whitespace("Makefile", "a:\n\tb\n").empty());
  EXPECT_EQ(check_whitespace("a.h", "x").size(), 1U);
  EXPECT_EQ(check_whitespace("a.h", "x\n\n").size(), 1U);
  EXPECT_EQ(check_whitespace("a.h", "x \n").size(), 1U);
  EXPECT_EQ(check_whitespace("a.h", "\tx\n").size(), 1U);
  EXPECT_EQ(check_whitespace("a.h", "x\r\n").size(), 1U);
}

}  // namespace
}  // namespace forge::tree
