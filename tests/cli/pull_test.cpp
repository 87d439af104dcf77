// Trusts: docs/hub.md, and what the fake Hub was given. The program runs as a person runs it; the
// Hub is a process of its own, over real HTTP.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "forge/base/json.h"
#include "tests/cli/program.h"
#include "tests/cli/running_program.h"
#include "tests/cli/terminal_program.h"
#include "tests/eventually.h"
#include "tests/hub/fake_hub.h"
#include "tests/python_test.h"

namespace forge::cli {
namespace {

namespace fs = std::filesystem;

const std::string kDefault = "HuggingFaceTB/SmolLM2-135M-Instruct";

class PullCommand : public PythonTest {
 protected:
  static void SetUpTestSuite() {
    shared_hub_ = std::make_unique<hub::FakeHub>();
    for (const auto& entry : fs::directory_iterator(stories_folder())) {
      const std::string bytes = read_file(entry.path());
      shared_hub_->add(kDefault, entry.path().filename().string(), bytes);
    }
    shared_hub_->add("org/gguf", "stories-Q4_K_M.gguf", read_file(stories_gguf()));
    shared_hub_->add("org/gguf", "stories-F16.gguf", "not a model at all");
    shared_hub_->add("org/big", "config.json", "{}");
    shared_hub_->add("org/big", "tokenizer.json", "{}");
    shared_hub_->add("org/big", "model.safetensors", kBig);
  }
  static void TearDownTestSuite() { shared_hub_.reset(); }
  void SetUp() override {
    hub_.reset();
    PythonTest::SetUp();
  }

  std::vector<Environment> environment(const std::vector<Environment>& more = {}) const {
    std::vector<Environment> all = {
        {"HF_HOME", home_.path()}, {"HF_ENDPOINT", hub_.url()}, {"HF_HUB_DOWNLOAD_TIMEOUT", "30"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Outcome forge(const std::vector<std::string>& arguments,
                const std::vector<Environment>& more = {}) const {
    return run_forge(arguments, "", environment(more));
  }
  Outcome generate(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"generate", "--prompt", "Once", "--max-tokens", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return forge(arguments);
  }
  static void expect_error(const Outcome& outcome, const std::string& part) {
    EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(part), std::string::npos) << outcome.err;
  }
  /// The only file that has begun and not ended, or empty.
  [[nodiscard]] std::string incomplete() const {
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(home_.path(), ignored)) {
      if (entry.path().extension() == ".incomplete") return entry.path();
    }
    return "";
  }
  [[nodiscard]] bool has_begun(uintmax_t n_bytes) const {
    std::error_code ignored;
    const std::string path = incomplete();
    const uintmax_t size = path.empty() ? 0 : fs::file_size(path, ignored);
    return size != static_cast<uintmax_t>(-1) && size >= n_bytes;
  }

  inline static const std::string kBig = hub::random_bytes(3'000'000, 5);
  inline static std::unique_ptr<hub::FakeHub> shared_hub_;
  hub::FakeHub& hub_ = *shared_hub_;
  TemporaryFolder home_;
};

TEST_F(PullCommand, PrintsWhereTheModelIs) {
  const Outcome pull = forge({"pull", kDefault});
  EXPECT_EQ(pull.exit_code, 0) << pull.err;
  ASSERT_TRUE(pull.out.ends_with("\n"));
  const std::string path = pull.out.substr(0, pull.out.size() - 1);
  EXPECT_TRUE(read_file(path + "/model.safetensors") ==
              read_file(stories_folder() + "/model.safetensors"));
  EXPECT_NE(pull.err.find("forge: model.safetensors: done, 7.10 MiB\n"), std::string::npos);
  EXPECT_NE(pull.err.find("checksums agree"), std::string::npos);
  EXPECT_EQ(pull.err.find('\x1b'), std::string::npos) << "colours in a file";

  const Outcome again = forge({"pull", kDefault, "--json"});
  const auto json = json::Document::parse(again.out, "");
  ASSERT_TRUE(json.ok()) << again.out;
  EXPECT_EQ(json->root().find("path").as_string(), path);
  EXPECT_EQ(json->root().find("downloaded_bytes").as_int(), 0);
  EXPECT_EQ(json->root().find("files").size(), 6u);
  EXPECT_EQ(again.err_lines().size(), 1u) << again.err;
  EXPECT_NE(again.err.find("nothing was to be downloaded"), std::string::npos);
}

TEST_F(PullCommand, NamesRunAfterOneDownload) {
  const Outcome first = generate({"--model", kDefault, "--seed", "1"});
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.err.find("is not in the cache: downloading it from http://127.0.0.1"),
            std::string::npos);
  const int n_requests = static_cast<int>(hub_.requests().size());
  const Outcome second = generate({"--model", kDefault, "--seed", "1", "--offline"});
  EXPECT_EQ(second.out, first.out);
  EXPECT_EQ(second.err.find("download"), std::string::npos) << second.err;
  EXPECT_EQ(static_cast<int>(hub_.requests().size()), n_requests) << "asked without need";
  // The same bits as the folder's.
  EXPECT_EQ(run_forge({"generate", "--prompt", "Once", "--max-tokens", "2", "--seed", "1",
                       "--model", stories_folder()})
                .out,
            first.out);
}

TEST_F(PullCommand, GgufNamesRunToo) {
  const Outcome outcome = forge({"tokenize", "org/gguf", "--text", "Once"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("taking Q4_K_M"), std::string::npos) << outcome.err;
  EXPECT_EQ(hub_.count({"F16.gguf"}), 0);
  EXPECT_EQ(forge({"inspect", "org/gguf:q4_k_m", "--offline"}).exit_code, 0);
  expect_error(generate({"--model", "org/gguf:F16", "--offline"}), "only in part in the cache");
}

TEST_F(PullCommand, WithoutANameTheCacheIsLookedAt) {
  const Outcome bundled = generate({});
  EXPECT_EQ(bundled.exit_code, 0);
  EXPECT_NE(bundled.err.find("using the bundled model"), std::string::npos) << bundled.err;
  EXPECT_NE(bundled.err.find("forge pull " + kDefault), std::string::npos) << bundled.err;
  EXPECT_EQ(hub_.requests().size(), 0u) << "a default must not download";
  ASSERT_EQ(forge({"pull", kDefault}).exit_code, 0);
  const Outcome cached = generate({});
  EXPECT_NE(cached.err.find("using " + kDefault + " of the cache"), std::string::npos)
      << cached.err;
  for (const auto& entry : fs::recursive_directory_iterator(home_.path())) {
    if (entry.path().filename() == "tokenizer.json") fs::remove(entry.path());
  }
  EXPECT_NE(generate({}).err.find("using the bundled model"), std::string::npos);
}

TEST_F(PullCommand, PathsWinOverNames) {
  TemporaryFolder folder;
  fs::create_directories(folder.path("org"));
  fs::copy(stories_folder(), folder.path("org/big"));
  const Outcome outcome = run_program(
      {"/bin/sh", "-c", "cd " + folder.path() + " && exec $FORGE tokenize org/big --text Once"}, "",
      environment());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(hub_.requests().size(), 0u);
}

TEST_F(PullCommand, OfflineDownloadsNothing) {
  expect_error(generate({"--model", kDefault, "--offline"}), kDefault + ": not in the cache");
  expect_error(forge({"inspect", kDefault}, {{"HF_HUB_OFFLINE", "1"}}), "downloads are off");
  expect_error(forge({"pull", kDefault}, {{"HF_HUB_OFFLINE", "1"}}), "offline");
  EXPECT_EQ(hub_.requests().size(), 0u);
  EXPECT_EQ(forge({"pull", "../evil"}).exit_code, 2);
  EXPECT_EQ(forge({"pull"}).exit_code, 2);
  expect_error(forge({"pull", kDefault}, {{"HF_ENDPOINT", "http://127.0.0.1:1"}}),
               "cannot connect to 127.0.0.1:1");
}

TEST_F(PullCommand, GoesOnAfterKill9) {
  hub_.set_faults(R"({"model.safetensors": [{"pause": 2000000, "times": 9}]})");
  {
    RunningProgram pull("pull", {"org/big"}, environment());
    ASSERT_TRUE(eventually([&] { return has_begun(2'000'000); })) << pull.err();
    pull.signal(SIGKILL);
    EXPECT_EQ(pull.wait(kPatience), 128 + SIGKILL);
  }
  EXPECT_EQ(fs::file_size(incomplete()), 2'000'000u);
  const Outcome list = forge({"list"});
  EXPECT_NE(list.out.find("org/big"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("incomplete, 1.91 MiB begun"), std::string::npos) << list.out;
  hub_.reset();
  const Outcome rest = forge({"pull", "org/big", "--json"});
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  const auto json = json::Document::parse(rest.out, "");
  EXPECT_LE(*json->root().find("downloaded_bytes").as_int(), 1'000'002);
  EXPECT_EQ(hub_.count({"bytes=2000000-2999999"}), 2);  // at the Hub and at the store
  EXPECT_TRUE(read_file(std::string(*json->root().find("path").as_string()) +
                        "/model.safetensors") == kBig);
}

TEST_F(PullCommand, CtrlCEndsQuicklyAndSaysWhatIsKept) {
  hub_.set_faults(R"({"model.safetensors": [{"pause": 1500000, "times": 9}]})");
  for (const int signal : {SIGINT, SIGTERM}) {
    RunningProgram pull("pull", {"org/big"}, environment());
    ASSERT_TRUE(eventually([&] { return has_begun(1'500'000); })) << pull.err();
    pull.signal(signal);
    EXPECT_EQ(pull.wait(std::chrono::seconds(10)), 130) << pull.err();
    EXPECT_NE(pull.err().find("forge: interrupted: 1.43 MiB of 2.86 MiB are kept"),
              std::string::npos)
        << pull.err();
    EXPECT_EQ(pull.out(), "");
    fs::remove(incomplete());
  }
  // In a server's start the signals are blocked; they have to end a download all the same.
  RunningProgram serve("serve", {"org/big", "--port", "0"}, environment());
  ASSERT_TRUE(eventually([&] { return has_begun(1'500'000); })) << serve.err();
  serve.signal(SIGINT);
  EXPECT_EQ(serve.wait(std::chrono::seconds(10)), 128 + SIGINT) << serve.err();
  hub_.go();
}

TEST_F(PullCommand, CtrlCEndsADownloadAndNotTheChat) {
  ASSERT_EQ(forge({"pull", "org/gguf:Q4_K_M"}).exit_code, 0);
  TerminalProgram chat({"chat", "org/gguf:Q4_K_M", "--no-history"}, environment());
  ASSERT_TRUE(chat.see(">>> "));
  hub_.set_faults(R"({"model.safetensors": [{"pause": 1500000, "times": 9}]})");
  for (int round = 0; round < 2; ++round) {
    chat.type("/model org/big\r");
    ASSERT_TRUE(chat.see("downloading it"));
    ASSERT_TRUE(eventually([&] { return has_begun(1'500'000); }));
    chat.type("\x03");
    ASSERT_TRUE(chat.see("are kept"));
    ASSERT_TRUE(chat.see("still with "));
    ASSERT_TRUE(chat.see(">>> "));
    fs::remove(incomplete());
  }
  hub_.go();
  chat.type("/model org/gguf:Q4_K_M\r");
  ASSERT_TRUE(chat.see("going on with "));
  ASSERT_TRUE(chat.see(">>> "));
  chat.type("\x04");
  EXPECT_EQ(chat.wait(), 0);
}

TEST_F(PullCommand, ASecondProcessWaitsAndFetchesNothing) {
  hub_.set_faults(R"({"model.safetensors": [{"pause": 1000000, "times": 9}]})");
  RunningProgram first("pull", {"org/big"}, environment());
  ASSERT_TRUE(eventually([&] { return has_begun(1'000'000); })) << first.err();
  RunningProgram second("pull", {"org/big"}, environment());
  ASSERT_TRUE(eventually([&] {
    return second.err().find("waiting for another process that downloads it") != std::string::npos;
  })) << second.err();
  expect_error(forge({"rm", "org/big", "--yes"}), "another process downloads it");
  hub_.go();
  EXPECT_EQ(first.wait(kPatience), 0) << first.err();
  EXPECT_EQ(second.wait(kPatience), 0) << second.err();
  EXPECT_EQ(first.out(), second.out());
  EXPECT_EQ(hub_.count({"model.safetensors", "\"store\""}), 1);
}

TEST_F(PullCommand, AFullDiskIsSaidAndResumed) {
  // A limit on files' sizes stands for the disk: the kernel refuses the same write.
  const Outcome full =
      run_program({"/bin/sh", "-c", "ulimit -f 2000; exec $FORGE pull org/big"}, "", environment());
  expect_error(full, "does not allow a file this large");
  EXPECT_FALSE(incomplete().empty());
  EXPECT_EQ(forge({"pull", "org/big"}).exit_code, 0);
}

TEST_F(PullCommand, ACacheThatCannotBeMadeIsSaidBeforeTheDownload) {
  const std::string file = home_.write("file", "mine");
  expect_error(forge({"pull", "org/big"}, {{"HF_HOME", file}}),
               file + "/hub: cannot make this folder for models: Not a directory: set HF_HOME");
  EXPECT_EQ(hub_.count({"\"GET\"", "/resolve/"}), 0);
  EXPECT_EQ(read_file(file), "mine");
}

TEST_F(PullCommand, TheSameContentTwiceIsFetchedOnce) {
  const Outcome pull = forge({"pull", "org/big"});  // config.json and tokenizer.json
  EXPECT_EQ(pull.exit_code, 0);
  EXPECT_EQ(pull.err.find("waiting"), std::string::npos) << pull.err;
  EXPECT_EQ(hub_.count({"\"GET\"", ".json"}), 1);
  const std::string path = pull.out.substr(0, pull.out.size() - 1);
  EXPECT_EQ(read_file(path + "/config.json"), "{}");
  EXPECT_EQ(read_file(path + "/tokenizer.json"), "{}");
}

TEST_F(PullCommand, ListAndRemove) {
  const Outcome none = forge({"list"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_NE(none.err.find("no models in "), std::string::npos);
  EXPECT_EQ(forge({"list", "--json"}).out, "[]\n");
  ASSERT_EQ(forge({"pull", "org/gguf:Q4_K_M"}).exit_code, 0);
  const Outcome list = forge({"list"});
  for (const char* part : {"NAME", "org/gguf", "main (", "GGUF Q4_K_M"}) {
    EXPECT_NE(list.out.find(part), std::string::npos) << part << " in " << list.out;
  }
  expect_error(forge({"rm", "org/gguf"}), "expected --yes");
  expect_error(forge({"rm", "org/other", "--yes"}), "org/other: not in the cache");
  EXPECT_EQ(forge({"rm", "org/..", "--yes"}).exit_code, 2);
  expect_error(forge({"inspect", "gguf:Q4_K_M"}), "did you mean org/gguf:Q4_K_M, which the cache");
  expect_error(forge({"inspect", "other"}), "other: no such file or folder: a model of the");
  expect_error(forge({"rm", "gg", "--yes"}), "did you mean org/gguf?");
  expect_error(forge({"rm", "gguf:Q2_K", "--yes"}), "org/gguf: no GGUF file of type Q2_K");
  expect_error(forge({"rm", "gguf:q4_k_m"}), "expected --yes");
  const Outcome one = forge({"rm", "gguf:Q4_K_M", "--yes"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_TRUE(one.err.starts_with("forge: removed Q4_K_M from org/gguf (")) << one.err;
  ASSERT_EQ(forge({"pull", "org/gguf:Q4_K_M"}).exit_code, 0);
  const Outcome removed = forge({"rm", "org/gguf", "--yes"});
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_NE(removed.err.find("removed org/gguf with 1 revision"), std::string::npos);
  EXPECT_EQ(forge({"list"}).out, "");
}

}  // namespace
}  // namespace forge::cli
