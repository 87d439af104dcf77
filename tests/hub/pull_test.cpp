// Trusts: the layout of huggingface_hub's cache as its documentation has it, and what the fake Hub
// was given; over real HTTP.
#include <gtest/gtest.h>

#include "forge/hub/cached_model.h"
#include "forge/hub/cached_repos.h"
#include "tests/hub/pulling.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

TEST_F(PullTest, MakesTheCacheThatPythonToolsMake) {
  const auto model = pull();
  expect_weights(model);
  const std::string repo = home_.path("hub/models--org--model");
  EXPECT_EQ(model->path, repo + "/snapshots/" + model->commit);
  EXPECT_EQ(model->folder, model->path);
  EXPECT_EQ(read_file(repo + "/refs/main"), model->commit);
  EXPECT_EQ(model->files.size(), 3u);
  EXPECT_EQ(model->n_bytes, 1'005'002);
  EXPECT_EQ(model->n_received, 1'005'002);
  for (const RepoFile& file : model->files) {
    EXPECT_EQ(fs::read_symlink(model->path + "/" + file.name), "../../blobs/" + file.hash);
  }
  // sha1 of "blob 2\0{}", and sha256 of 5000 t, by sha1sum and sha256sum.
  EXPECT_EQ(fs::read_symlink(model->path + "/config.json"),
            "../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b");
  EXPECT_TRUE(fs::exists(home_.path("hub/.locks/models--org--model")));
  EXPECT_TRUE(fs::exists(home_.path("hub/CACHEDIR.TAG")));
  for (const char* needless : {"/pytorch_model.bin", "/onnx"}) {
    EXPECT_FALSE(fs::exists(model->path + needless));
  }
}

TEST_F(PullTest, TakesNothingTwice) {
  ASSERT_TRUE(pull().ok());
  const int before = hub_.count({"/resolve/"});
  const auto again = pull();
  expect_weights(again);
  EXPECT_EQ(again->n_received, 0);
  EXPECT_EQ(hub_.count({"/resolve/"}), before);
}

TEST_F(PullTest, LargeFilesComeInRangesOverSeveralConnections) {
  expect_weights(pull());
  EXPECT_GE(hub_.count({"model.safetensors", "bytes=65536-131071", "\"store\""}), 1);
  EXPECT_EQ(hub_.count({"model.safetensors", "\"store\"", "bytes="}), 15);
}

TEST_F(PullTest, RevisionsAreBranchesTagsAndCommits) {
  hub_.add("org/model", "config.json", "{\"v\": 2}", "refs%2Fpr%2F1");
  hub_.add("org/model", "config.json", "{\"v\": 3}", "v1.0");
  hub_.add("org/model", "model.safetensors", kWeights, "v1.0");
  const auto main = pull();
  const auto tag = pull("org/model@v1.0");
  expect_weights(tag);
  EXPECT_EQ(read_file(tag->path + "/config.json"), "{\"v\": 3}");
  EXPECT_EQ(tag->n_received, 8);  // the weights are the same blob
  EXPECT_EQ(read_file(home_.path("hub/models--org--model/refs/v1.0")), tag->commit);
  const auto commit = pull("org/model@" + tag->commit);
  EXPECT_EQ(commit->path, tag->path);
  EXPECT_FALSE(fs::exists(home_.path("hub/models--org--model/refs/") + tag->commit));
  EXPECT_NE(main->commit, tag->commit);
}

TEST_F(PullTest, TheTokenGoesToTheHubOnly) {
  settings_.token = "hf_secret";
  expect_weights(pull());
  EXPECT_GE(hub_.count({"\"hub\"", "Bearer hf_secret"}), 4);
  EXPECT_GE(hub_.count({"\"store\""}), 2);
  EXPECT_EQ(hub_.count({"\"store\"", "hf_secret"}), 0);
}

TEST_F(PullTest, AHubThatTellsNoSizesIsAskedForEachFile) {
  hub_.set_faults(R"({"api": [{"bare": true}]})");
  expect_weights(pull());
  EXPECT_EQ(hub_.count({"\"HEAD\""}), 3);
  EXPECT_EQ(hub_.count({"\"HEAD\"", "\"store\""}), 0);
}

TEST_F(PullTest, WhatIsThereInPartIsGoneOnWith) {
  const std::string blobs = "hub/models--org--model/blobs/";
  const auto first = pull();
  const std::string hash = fs::read_symlink(first->path + "/model.safetensors").filename();
  fs::remove_all(home_.path("hub"));
  home_.write(blobs + hash + ".incomplete", kWeights.substr(0, 900'000));
  const auto model = pull();
  expect_weights(model);
  EXPECT_EQ(model->n_received, 105'002);
}

TEST_F(PullTest, ADamagedBeginningIsNoticedAndFetchedAgain) {
  const auto first = pull();
  const std::string hash = fs::read_symlink(first->path + "/model.safetensors").filename();
  fs::remove_all(home_.path("hub"));
  const std::string blob = "hub/models--org--model/blobs/" + hash;
  home_.write(blob + ".incomplete", std::string(900'000, 'x'));
  expect_weights(pull());
  EXPECT_TRUE(has_note("another checksum")) << testing::PrintToString(notes_);

  fs::remove_all(home_.path("hub"));
  home_.write(blob + ".incomplete", kWeights + "and more");
  expect_weights(pull());
}

TEST_F(PullTest, LinksInTheCacheAreNotWrittenThrough) {
  const std::string victim = home_.write("victim", "precious");
  const auto first = pull();
  const std::string hash = fs::read_symlink(first->path + "/model.safetensors").filename();
  fs::remove_all(home_.path("hub"));
  home_.write("hub/models--org--model/blobs/x", "");
  fs::create_symlink(victim, home_.path("hub/models--org--model/blobs/" + hash + ".incomplete"));
  EXPECT_NE(error().find("cannot open"), std::string::npos);
  EXPECT_EQ(read_file(victim), "precious");

  fs::remove_all(home_.path("hub"));
  fs::create_directories(home_.path("elsewhere"));
  home_.write("hub/models--org--model/blobs/x", "");
  fs::create_symlink(home_.path("elsewhere"), home_.path("hub/models--org--model/snapshots"));
  EXPECT_NE(error().find("snapshots"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(home_.path("elsewhere")));
}

TEST_F(PullTest, StoppingKeepsWhatCame) {
  hub_.set_faults(R"({"model.safetensors": [{"pause": 30000, "times": 99}]})");
  const auto name = parse_model_name("org/model");
  PullEvents events;
  bool is_stopped = false;
  events.on_progress = [&](const PullProgress& progress) {
    is_stopped = progress.files[0].state == FileProgress::State::kDone &&
                 progress.files[1].state == FileProgress::State::kDone &&
                 progress.files[2].n_kept >= 30'000;
  };
  events.is_stopped = [&] { return is_stopped; };
  const auto model = hub::pull(*name, {settings_, std::nullopt}, events);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().message, "interrupted");
  EXPECT_EQ(n_incomplete(), 1);
  EXPECT_FALSE(find_cached(Cache(settings_.cache_folder), *name));  // no ref before the end
  hub_.go();
  hub_.set_faults("{}");
  const auto rest = pull();
  expect_weights(rest);
  EXPECT_LE(rest->n_received, 970'000);
}

TEST_F(PullTest, OfGgufRepositoriesOneQuantisation) {
  hub_.add("org/gguf", "m-Q8_0.gguf", random_bytes(9000, 1));
  hub_.add("org/gguf", "m-Q4_K_M.gguf", random_bytes(5000, 2));
  hub_.add("org/gguf", "Q6_K/m-Q6_K-00001-of-00002.gguf", random_bytes(3000, 3));
  hub_.add("org/gguf", "Q6_K/m-Q6_K-00002-of-00002.gguf", random_bytes(4000, 4));
  const auto best = pull("org/gguf");
  ASSERT_TRUE(best.ok()) << best.error().message;
  EXPECT_EQ(fs::path(best->path).filename(), "m-Q4_K_M.gguf");
  EXPECT_TRUE(has_note("taking Q4_K_M"));
  const auto split = pull("org/gguf:q6_k");
  ASSERT_TRUE(split.ok()) << split.error().message;
  EXPECT_EQ(split->path, split->folder + "/Q6_K/m-Q6_K-00001-of-00002.gguf");
  EXPECT_EQ(split->n_received, 7000);
  EXPECT_EQ(fs::read_symlink(split->folder + "/Q6_K/m-Q6_K-00002-of-00002.gguf").parent_path(),
            "../../../blobs");
  EXPECT_NE(error("org/gguf:Q2_K").find("no GGUF file of type Q2_K: there are"), std::string::npos);
}

}  // namespace
}  // namespace forge::hub
