// Trusts: result files in ctest's JUnit form written out here, and counts made by hand.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/temporary_folder.h"

namespace forge::tree {
namespace {

struct Outcome {
  int exit_code = -1;
  std::string output;
};

class TestSummary : public testing::Test {
 protected:
  // Writes a file of results with the given test cases; returns its path in quotes.
  std::string results(const std::string& name, const std::string& cases) const {
    return " '" +
           folder_.write(name, "<?xml version=\"1.0\"?>\n<testsuite tests=\"1\">\n" + cases +
                                   "</testsuite>\n") +
           "'";
  }

  static std::string test_case(const std::string& name, const std::string& status,
                               const std::string& body = "") {
    return "\t<testcase name=\"" + name + "\" classname=\"x\" time=\"0\" status=\"" + status +
           "\">\n" + body + "\t</testcase>\n";
  }

  static Outcome summary(const std::string& arguments) {
    const std::string command = FORGE_SOURCE_DIR "/tools/test_summary.sh" + arguments + " 2>&1";
    std::FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    Outcome outcome;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
      outcome.output += static_cast<char>(c);
    }
    const int status = pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(TestSummary, CountsPassedTests) {
  const auto outcome = summary(results("a.xml", test_case("a", "run") + test_case("b", "run")));
  EXPECT_EQ(outcome.output, "2 passed, 0 failed, 0 skipped\n");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST_F(TestSummary, AddsUpFilesAndListsFailures) {
  const auto outcome = summary(results("a.xml", test_case("good", "run")) +
                               results("b.xml", test_case("bad", "fail")));
  EXPECT_EQ(outcome.output, "Failed:\n  bad\n1 passed, 1 failed, 0 skipped\n");
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST_F(TestSummary, SaysWhyATestWasSkipped) {
  const std::string skipped = test_case("s", "notrun",
                                        "<skipped message=\"SKIP_REGULAR_EXPRESSION_MATCHED\"/>\n"
                                        "<system-out>a.cpp:3: Skipped\nno &lt;data&gt; &amp; so\n"
                                        "</system-out>\n");
  const auto outcome = summary(results("a.xml", test_case("good", "run") + skipped));
  EXPECT_EQ(outcome.output, "Skipped:\n  s: no <data> & so\n1 passed, 0 failed, 1 skipped\n");
  EXPECT_EQ(outcome.exit_code, 0);
}

TEST_F(TestSummary, TheLastLineOfAScriptIsItsReason) {
  const std::string skipped = test_case("s", "notrun",
                                        "<skipped message=\"SKIP_RETURN_CODE=77\"/>\n"
                                        "<system-out>skipped: no Python\n</system-out>\n");
  const auto outcome = summary(results("a.xml", skipped + test_case("good", "run")));
  EXPECT_EQ(outcome.output, "Skipped:\n  s: skipped: no Python\n1 passed, 0 failed, 1 skipped\n");
}

TEST_F(TestSummary, AProgramThatCouldNotRunIsAFailure) {
  const std::string absent =
      test_case("absent", "notrun", "<skipped message=\"Unable to find executable\"/>\n");
  const auto outcome = summary(results("a.xml", test_case("good", "run") + absent));
  EXPECT_EQ(outcome.output, "Failed:\n  absent\n1 passed, 1 failed, 0 skipped\n");
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST_F(TestSummary, NoTestsAtAllIsAnError) {
  const auto outcome = summary(results("a.xml", ""));
  EXPECT_EQ(outcome.output, "0 passed, 0 failed, 0 skipped\n");
  EXPECT_EQ(outcome.exit_code, 1);
}

TEST_F(TestSummary, AMissingFileIsAnError) {
  const auto outcome = summary(" no-such-file.xml");
  EXPECT_EQ(outcome.output, "no test results: no-such-file.xml\n");
  EXPECT_EQ(outcome.exit_code, 1);
}

}  // namespace
}  // namespace forge::tree
