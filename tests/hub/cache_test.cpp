// Trusts: the layout that huggingface_hub documents, written by hand; what is outside of the cache
// stays as it was.
#include "forge/hub/cache.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "forge/hub/cached_model.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/file_lock.h"
#include "forge/hub/partial_file.h"
#include "tests/temporary_folder.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

const std::string kCommitA(40, 'a');
const std::string kCommitB = "b123456" + std::string(33, '0');

class CacheTest : public testing::Test {
 protected:
  /// A file as huggingface_hub leaves it: a blob and a link.
  void add(const std::string& commit, const std::string& file, const std::string& blob,
           const std::string& bytes) {
    folder_.write(kRepo + "/blobs/" + blob, bytes);
    const fs::path link = folder_.path(kRepo + "/snapshots/" + commit + "/" + file);
    fs::create_directories(link.parent_path());
    fs::create_symlink(fs::relative(folder_.path(kRepo + "/blobs/" + blob), link.parent_path()),
                       link);
  }
  void add_ref(const std::string& ref, const std::string& commit) {
    folder_.write(kRepo + "/refs/" + ref, commit);
  }
  /// Two revisions that share their weights.
  void add_two() {
    for (const auto& [commit, config] : {std::pair(kCommitA, "{}"), std::pair(kCommitB, "{ }")}) {
      add(commit, "config.json", "config" + commit.substr(0, 1), config);
      add(commit, "tokenizer.json", "tokenizer", "12345");
      add(commit, "model.safetensors", "weights", std::string(1000, 'w'));
    }
    add_ref("main", kCommitA);
    add_ref("refs/pr/1", kCommitB);
  }
  std::optional<CachedModel> find(const std::string& text) {
    return find_cached(cache_, *parse_model_name(text));
  }
  [[nodiscard]] bool exists(const std::string& name) const {
    return fs::exists(folder_.path(kRepo + "/" + name));
  }

  inline static const std::string kRepo = "models--org--model";
  TemporaryFolder folder_;
  Cache cache_{folder_.path()};
};

TEST_F(CacheTest, FindsWhatPythonToolsFetched) {
  add_two();
  const auto main = find("org/model");
  ASSERT_TRUE(main);
  EXPECT_EQ(main->path, folder_.path(kRepo + "/snapshots/" + kCommitA));
  EXPECT_TRUE(main->is_complete());
  EXPECT_EQ(find("org/model@refs/pr/1")->commit, kCommitB);
  EXPECT_EQ(find("org/model@" + kCommitB)->commit, kCommitB);
  EXPECT_FALSE(find("org/model@v1"));
  EXPECT_FALSE(find("org/other"));
}

TEST_F(CacheTest, WhatIsNotWholeNamesWhatIsMissing) {
  add_ref("main", kCommitA);
  EXPECT_FALSE(find("org/model"));
  add(kCommitA, "config.json", "c", "{}");
  EXPECT_EQ(find("org/model")->missing,
            (std::vector<std::string>{"model.safetensors", "tokenizer.json"}));
  add(kCommitA, "tokenizer.model", "t", "x");
  add(kCommitA, "model.safetensors.index.json", "i",
      R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors",
                         "c": "model-1.safetensors"}})");
  add(kCommitA, "model-1.safetensors", "w1", "x");
  EXPECT_EQ(find("org/model")->missing, (std::vector<std::string>{"model-2.safetensors"}));
  add(kCommitA, "model-2.safetensors", "w2", "x");
  EXPECT_TRUE(find("org/model")->is_complete());
  fs::remove(folder_.path(kRepo + "/blobs/w2"));  // a link to nothing is no file
  EXPECT_FALSE(find("org/model")->is_complete());
}

TEST_F(CacheTest, GgufByQuantisation) {
  add_ref("main", kCommitA);
  add(kCommitA, "m-F16.gguf", "f", "x");
  add(kCommitA, "m-Q8_0.gguf", "q", "x");
  add(kCommitA, "m-Q6_K-00001-of-00002.gguf", "s", "x");
  EXPECT_TRUE(find("org/model")->path.ends_with("/m-Q8_0.gguf"));
  EXPECT_TRUE(find("org/model:f16")->path.ends_with("/m-F16.gguf"));
  EXPECT_FALSE(find("org/model:Q6_K")->is_complete());
  EXPECT_EQ(find("org/model:Q4_0")->missing.size(), 1u);
}

TEST_F(CacheTest, ListsRevisionsWithSizes) {
  add_two();
  folder_.write(kRepo + "/blobs/x.incomplete", "12345678");
  folder_.write("models--org--begun/blobs/y.incomplete", "1");
  folder_.write("datasets--org--data/blobs/z", "1");
  folder_.write("version.txt", "1");
  const auto all = list_cached(cache_);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].repo, "org/begun");
  EXPECT_EQ(all[0].n_incomplete_bytes, 1);
  EXPECT_FALSE(all[0].is_complete);
  EXPECT_EQ(all[1].commit, kCommitA);
  EXPECT_EQ(all[1].refs, (std::vector<std::string>{"main"}));
  EXPECT_EQ(all[1].n_bytes, 1007);
  EXPECT_EQ(all[1].formats, (std::vector<std::string>{"safetensors"}));
  EXPECT_TRUE(all[1].is_complete);
  EXPECT_GT(all[1].used_at, 1'600'000'000);
  EXPECT_EQ(all[2].refs, (std::vector<std::string>{"refs/pr/1"}));
  EXPECT_EQ(all[2].n_incomplete_bytes, 8);
}

TEST_F(CacheTest, RemovesOneRevisionWithWhatOnlyItNeeds) {
  add_two();
  const auto plan = plan_removal(cache_, *parse_model_name("org/model@b123456"), Revisions::kNamed);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->n_bytes, 3);
  ASSERT_TRUE(remove(cache_, *plan).ok());
  EXPECT_FALSE(exists("snapshots/" + kCommitB));
  EXPECT_FALSE(exists("refs/refs/pr/1"));
  EXPECT_FALSE(exists("blobs/configb"));
  EXPECT_TRUE(find("org/model")->is_complete());
  const auto last = plan_removal(cache_, *parse_model_name("org/model@main"), Revisions::kNamed);
  ASSERT_TRUE(remove(cache_, *last).ok());
  EXPECT_FALSE(exists(""));
}

TEST_F(CacheTest, RemovesWholeRepositories) {
  add_two();
  const auto plan = plan_removal(cache_, *parse_model_name("org/model"), Revisions::kAll);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->n_bytes, 1010);
  EXPECT_EQ(plan->snapshots.size(), 2u);
  ASSERT_TRUE(remove(cache_, *plan).ok());
  EXPECT_FALSE(exists(""));
  const auto again = plan_removal(cache_, *parse_model_name("org/model"), Revisions::kAll);
  EXPECT_NE(again.error().message.find("org/model: not in the cache"), std::string::npos);
}

TEST_F(CacheTest, RemovesOneQuantisation) {
  for (const std::string& commit : {kCommitA, kCommitB}) {
    add(commit, "Q8_0/m-Q8_0-00001-of-00002.gguf", "q8-1", std::string(100, '1'));
    add(commit, "Q8_0/m-Q8_0-00002-of-00002.gguf", "q8-2" + commit.substr(0, 1), "2222");
    add(commit, "m-Q4_K_M.gguf", "q4", "4");
  }
  add(kCommitA, "copy-F16.gguf", "q8-1", std::string(100, '1'));
  add_ref("main", kCommitA);
  add_ref("dev", kCommitB);
  folder_.write(kRepo + "/blobs/x.incomplete", "begun");

  const auto one = plan_removal(cache_, *parse_model_name("org/model:q8_0@dev"), Revisions::kNamed);
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_EQ(one->n_bytes, 4) << "its first part is the other revision's as well";
  EXPECT_EQ(one->files.size(), 2u);
  ASSERT_TRUE(remove(cache_, *one).ok());
  EXPECT_FALSE(exists("snapshots/" + kCommitB + "/Q8_0"));
  EXPECT_FALSE(find("org/model:Q8_0@dev")->is_complete());
  EXPECT_TRUE(find("org/model:Q4_K_M@dev")->is_complete());
  EXPECT_TRUE(find("org/model:Q8_0")->is_complete());

  const auto all = plan_removal(cache_, *parse_model_name("org/model:Q8_0"), Revisions::kAll);
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(all->n_bytes, 4) << "another file has the content of its first part";
  ASSERT_TRUE(remove(cache_, *all).ok());
  EXPECT_TRUE(find("org/model:F16")->is_complete());
  EXPECT_TRUE(find("org/model:Q4_K_M")->is_complete());

  const auto missing = plan_removal(cache_, *parse_model_name("org/model:Q8_0"), Revisions::kAll);
  EXPECT_EQ(missing.error().message,
            "org/model: no GGUF file of type Q8_0 in the cache: it has F16 (100 B), Q4_K_M (1 B)");

  // With the last file of a snapshot the snapshot goes, and what refers to it.
  const auto last = plan_removal(cache_, *parse_model_name("org/model:Q4_K_M"), Revisions::kAll);
  ASSERT_TRUE(remove(cache_, *last).ok());
  EXPECT_FALSE(exists("snapshots/" + kCommitB));
  EXPECT_FALSE(exists("refs/dev"));
  EXPECT_TRUE(exists("refs/main"));
  const auto f16 = plan_removal(cache_, *parse_model_name("org/model:F16"), Revisions::kAll);
  ASSERT_TRUE(remove(cache_, *f16).ok());
  EXPECT_FALSE(exists("refs/main"));
  EXPECT_TRUE(exists("blobs/x.incomplete"));
}

TEST_F(CacheTest, AVariantOfAQuantisationIsNotMeantBesideThePlainOne) {
  add(kCommitA, "m-Q4_K_XL.gguf", "plain", "1");
  add(kCommitA, "m-UD-Q4_K_XL.gguf", "variant", "22");
  add(kCommitA, "mmproj-Q4_K_XL.gguf", "images", "333");
  add_ref("main", kCommitA);
  for (const int n_bytes : {1, 2}) {
    const auto plan = plan_removal(cache_, *parse_model_name("org/model:Q4_K_XL"), Revisions::kAll);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_EQ(plan->n_bytes, n_bytes);
    ASSERT_TRUE(remove(cache_, *plan).ok());
  }
  EXPECT_TRUE(exists("snapshots/" + kCommitA + "/mmproj-Q4_K_XL.gguf"));
}

TEST_F(CacheTest, ANameWithoutItsOrganisation) {
  for (const char* repo : {"a--model", "b--model", "a--Other-7B", "gpt2"}) {
    fs::create_directories(folder_.path("models--" + std::string(repo)));
  }
  const auto found = [&](const std::string& name) {
    const Result<std::string> repo = find_cached_repo(cache_, name);
    return repo.ok() ? *repo : repo.error().message;
  };
  EXPECT_EQ(found("Other-7B"), "a/Other-7B");
  EXPECT_EQ(found("other-7b"), "a/Other-7B");
  EXPECT_EQ(found("gpt2"), "gpt2");
  EXPECT_EQ(found("not/there"), "not/there");
  EXPECT_EQ(found("model"),
            "model: 2 models of this name in the cache: which of a/model, b/model?");
  EXPECT_EQ(found("other"),
            "other: not in the cache " + folder_.path() + ": did you mean a/Other-7B?");
  EXPECT_EQ(found("x"), "x: not in the cache " + folder_.path() + " (forge list shows what is)");
  EXPECT_EQ(parse_cached_name("model:Q8_0@dev")->text(), "model:Q8_0@dev");
  EXPECT_FALSE(parse_cached_name("..").ok());
  EXPECT_FALSE(parse_cached_name("").ok());
}

TEST_F(CacheTest, RemovalFollowsNoLink) {
  add_two();
  TemporaryFolder outside;
  const std::string victim = outside.write("folder/victim", "precious");
  const std::string snapshot = folder_.path(kRepo + "/snapshots/" + kCommitB);
  fs::create_symlink(victim, snapshot + "/a");
  fs::create_symlink("../../../../../" + victim, snapshot + "/b");
  fs::create_directory_symlink(outside.path("folder"), snapshot + "/c");
  fs::create_directory_symlink(outside.path(), folder_.path(kRepo + "/refs/d"));
  fs::create_directory_symlink(outside.path(), folder_.path("models--org--link"));
  for (const char* name : {"org/model@b123456", "org/model@main"}) {
    const auto plan = plan_removal(cache_, *parse_model_name(name), Revisions::kNamed);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    ASSERT_TRUE(remove(cache_, *plan).ok());
  }
  const std::string model = outside.write("folder/m-Q8_0.gguf", "precious");
  fs::create_directories(folder_.path(kRepo + "/snapshots"));
  fs::create_directory_symlink(outside.path("folder"),
                               folder_.path(kRepo + "/snapshots/" + kCommitA));
  EXPECT_FALSE(plan_removal(cache_, *parse_model_name("org/model:Q8_0"), Revisions::kAll).ok());
  EXPECT_EQ(read_file(victim), "precious");
  const auto link = plan_removal(cache_, *parse_model_name("org/link"), Revisions::kAll);
  ASSERT_FALSE(link.ok());
  EXPECT_NE(link.error().message.find("is a link"), std::string::npos);
}

TEST_F(CacheTest, WhatIsBeingDownloadedStays) {
  add_two();
  fs::create_directories(folder_.path(".locks/" + kRepo));
  const auto lock = FileLock::try_take(cache_.lock_path("org/model", "weights"));
  ASSERT_TRUE(lock.ok() && lock->has_value());
  EXPECT_FALSE(FileLock::try_take(cache_.lock_path("org/model", "weights"))->has_value());
  const auto plan = plan_removal(cache_, *parse_model_name("org/model"), Revisions::kAll);
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.error().message.find("another process downloads it"), std::string::npos);
}

TEST_F(CacheTest, FolderNames) {
  EXPECT_EQ(repo_of_folder("models--org--model"), "org/model");
  EXPECT_EQ(repo_of_folder("models--gpt2"), "gpt2");
  for (const char* name : {"datasets--a--b", "models--", "models--a--b--c", ".locks", "blobs"}) {
    EXPECT_FALSE(repo_of_folder(name)) << name;
  }
  EXPECT_EQ(cache_.lock_path("org/model", "x"), folder_.path(".locks/models--org--model/x.lock"));
}

TEST_F(CacheTest, APartialFileIsContinuedHashedAndNamed) {
  const std::string blob = folder_.path("blob");
  folder_.write("blob.incomplete", "hello ");
  {
    auto file = PartialFile::open(blob, 11, ContentHash::Kind::kSha256);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ(file->n_unhashed(), 6);
    ASSERT_TRUE(file->hash_found().ok());
    EXPECT_EQ(file->n_done(), 6);
    ASSERT_TRUE(file->append(std::string_view("wor")).ok());
  }
  auto file = PartialFile::open(blob, 11, ContentHash::Kind::kSha256);
  ASSERT_TRUE(file->hash_found().ok());
  EXPECT_EQ(file->n_done(), 9);
  ASSERT_TRUE(file->append(std::string_view("ld")).ok());
  // sha256sum of "hello world"
  EXPECT_EQ(file->finish_hash(),
            "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
  ASSERT_TRUE(file->commit().ok());
  EXPECT_EQ(read_file(blob), "hello world");
  EXPECT_FALSE(fs::exists(blob + ".incomplete"));
}

TEST(ContentHash, KnownValues) {
  ContentHash git(ContentHash::Kind::kGitSha1, 5);
  git.update(std::string_view("hello"));
  EXPECT_EQ(git.finish(), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");  // git hash-object
  ContentHash empty(ContentHash::Kind::kSha256, 0);
  EXPECT_EQ(empty.finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_FALSE(is_hash(std::string(64, 'A'), ContentHash::Kind::kSha256));
  EXPECT_FALSE(is_hash(std::string(63, 'a'), ContentHash::Kind::kSha256));
}

}  // namespace
}  // namespace forge::hub
