// Reference: the rules of this program's command lines (docs/cli.md), and the files themselves.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "forge/base/json.h"
#include "tests/cli/program.h"

namespace forge::cli {
namespace {

std::string quantized(const TemporaryFolder& folder, const std::string& type) {
  const std::string path = folder.path(type + ".gguf");
  const Outcome outcome = run_forge({"quantize", stories_folder(), path, "--type", type});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find(path + ": "), std::string::npos) << outcome.err;
  return path;
}

TEST(QuantizeCommand, ItsFileTellsTheSameStory) {
  const TemporaryFolder folder;
  const std::vector<std::string> rest = {"--prompt", "Once upon a time", "--temperature",
                                         "0",        "--max-tokens",     "30"};
  const auto story = [&](const std::string& model) {
    std::vector<std::string> arguments = {"generate", "--model", model};
    arguments.insert(arguments.end(), rest.begin(), rest.end());
    return run_forge(arguments).out;
  };
  const std::string expected = story(stories_folder());
  EXPECT_GT(expected.size(), 60u);
  EXPECT_EQ(story(quantized(folder, "BF16")), expected);
  EXPECT_EQ(story(quantized(folder, "Q8_0")), expected);
}

TEST(QuantizeCommand, AWrongTypeListsThemAndSaysWhichIsNear) {
  const Outcome outcome = run_forge({"quantize", "bundled", "x.gguf", "--type", "q4_k_n"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("did you mean Q4_K_"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("IQ4_XS"), std::string::npos) << outcome.err;
}

TEST(QuantizeCommand, ADryRunShowsTypesAndWritesNothing) {
  const TemporaryFolder folder;
  const Outcome outcome = run_forge(
      {"quantize", stories_folder(), folder.path("x.gguf"), "--type", "Q4_K_M", "--dry-run", "-q"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("BF16 -> Q6_K"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(QuantizeCommand, BadInputIsOneLineAndLeavesNothing) {
  const TemporaryFolder folder;
  std::string bytes = forge::read_file(stories_gguf());
  const std::string cut = folder.write("in/cut.gguf", bytes.substr(0, bytes.size() / 2));
  std::filesystem::create_directory(folder.path("out"));
  const std::string out = folder.path("out/x.gguf");
  for (const std::string& in : {cut, folder.path("missing.gguf"), stories_gguf()}) {
    const Outcome outcome = run_forge({"quantize", in, out, "--type", "Q4_K_M"});
    EXPECT_EQ(outcome.exit_code, 1) << in;
    EXPECT_EQ(outcome.err_lines().back().find("forge: error: "), 0u) << outcome.err;
    EXPECT_NE(outcome.err.find(in), std::string::npos) << outcome.err;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("out")));
}

TEST(QuantizeCommand, AFolderThatCannotBeWrittenIsSaidBeforeTheWork) {
  const TemporaryFolder folder;
  const std::string place = folder.path("out");
  std::filesystem::create_directory(place);
  ASSERT_EQ(::chmod(place.c_str(), 0555), 0);
  // Permissions hold for root as well once it has no capabilities.
  const std::string as_anybody =
      ::geteuid() == 0 ? "setpriv --inh-caps=-all --bounding-set=-all " : "";
  if (run_shell(as_anybody + "true").exit_code != 0) {
    GTEST_SKIP() << "root, and no setpriv that could give its capabilities up";
  }
  const Outcome outcome = run_shell(as_anybody + "$FORGE quantize " + stories_folder() + " " +
                                    place + "/x.gguf --type Q8_0");
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err_lines().back(),
            "forge: error: " + place + "/x.gguf: cannot write: Permission denied");
  EXPECT_EQ(outcome.err.find('%'), std::string::npos) << "no progress: " << outcome.err;
  EXPECT_TRUE(std::filesystem::is_empty(place));
}

// A limit on the size of files fails a write in the middle as a full disk does.
TEST(QuantizeCommand, AFullDiskInTheMiddleLeavesNothing) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("out"));
  const Outcome outcome =
      run_shell("trap '' XFSZ; ulimit -f 2000; $FORGE quantize " + stories_folder() + " " +
                folder.path("out/x.gguf") + " --type F32");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("x.gguf: cannot write: File too large"), std::string::npos)
      << outcome.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("out")));
}

TEST(VerifyCommand, AWholeFileIsOk) {
  const Outcome outcome = run_forge({"verify", stories_gguf()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err << outcome.out;
  for (const char* check :
       {"structure", "architecture", "tensors", "values", "tokenizer", "chat template", "sha256"}) {
    EXPECT_NE(outcome.out.find(std::string("ok      ") + check + ": "), std::string::npos) << check;
  }
  EXPECT_EQ(run_forge({"verify", stories_folder(), "-q"}).exit_code, 0);
}

TEST(VerifyCommand, TheHashIsTheSystemsAndIsCompared) {
  const std::string program = "/usr/bin/sha256sum";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "there is no " << program;
  const Outcome sum = run_program({program, stories_gguf()});
  ASSERT_EQ(sum.exit_code, 0) << sum.err;
  std::string hash = sum.out.substr(0, 64);
  const Outcome same = run_forge({"verify", stories_gguf(), "--sha256", hash});
  EXPECT_EQ(same.exit_code, 0) << same.out;
  EXPECT_NE(same.out.find(hash), std::string::npos);
  hash[0] = hash[0] == '0' ? '1' : '0';
  const Outcome other = run_forge({"verify", stories_gguf(), "--sha256", hash, "--json"});
  EXPECT_EQ(other.exit_code, 1);
  const auto report = json::Document::parse(other.out, "stdout");
  ASSERT_TRUE(report.ok()) << other.out;
  EXPECT_EQ(report->root().find("ok").as_bool(), false);
  EXPECT_EQ(run_forge({"verify", stories_gguf(), "--sha256", "abc"}).exit_code, 2);
}

TEST(CompareQualityCommand, AModelIsItselfAndAQuantisedOneNearIt) {
  const TemporaryFolder folder;
  const std::string text =
      folder.write("text", run_forge({"generate", "--prompt", "Once upon a time", "--seed", "1",
                                      "--echo", "--ignore-eos", "--max-tokens", "400"})
                               .out);
  const auto compare = [&](const std::string& b) {
    const Outcome outcome = run_forge(
        {"compare-quality", stories_folder(), b, "--file", text, "--ctx", "128", "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    auto document = json::Document::parse(outcome.out, "stdout");
    EXPECT_TRUE(document.ok()) << outcome.out;
    return std::move(document).value();
  };
  const json::Document same = compare(stories_folder());
  EXPECT_EQ(same.root().find("max_kl").as_double(), 0.0);
  EXPECT_EQ(same.root().find("same_top").find("value").as_double(), 1.0);
  const json::Document near = compare(quantized(folder, "Q3_K_S"));
  const double kl = near.root().find("mean_kl").find("value").as_double().value();
  EXPECT_GT(kl, 1e-4);
  EXPECT_LT(kl, 0.3);
  // forge perplexity says the same of both.
  const Outcome alone =
      run_forge({"perplexity", stories_folder(), "--file", text, "--ctx", "128", "--json"});
  const auto alone_json = json::Document::parse(alone.out, "stdout");
  EXPECT_NEAR(near.root().find("perplexity_a").find("value").as_double().value(),
              alone_json->root().find("perplexity").as_double().value(), 1e-4);
}

TEST(CompareQualityCommand, OtherVocabulariesAreRefused) {
  const TemporaryFolder folder;
  const std::string text = folder.write("text", "Once upon a time");
  const std::string other = folder.path("other.gguf");
  ASSERT_EQ(run_forge({"make-random", "tiny-test:q8_0", "-o", other}).exit_code, 0);
  const Outcome outcome = run_forge({"compare-quality", "bundled", other, "--file", text});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_NE(outcome.err.find("only models of one vocabulary can be compared"), std::string::npos)
      << outcome.err;
}

}  // namespace
}  // namespace forge::cli
