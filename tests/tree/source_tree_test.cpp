// Trusts: the rules of tests/tree/source_rules.h, applied to every file of the repository.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "tests/tree/source_rules.h"

namespace forge::tree {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  // relative to the repository
  std::string text;
};

bool is_source(const fs::path& path) {
  static const std::vector<std::string> endings{".h",  ".cpp", ".cu",    ".cuh", ".S",  ".sh",
                                                ".py", ".md",  ".cmake", ".in",  ".txt"};
  return path.filename() == "Makefile" || path.parent_path().filename() == ".ci" ||
         std::find(endings.begin(), endings.end(), path.extension().string()) != endings.end();
}

// Every file people write. Builds, git's own files and caches are not ours; test data (text that is
// meant to be odd) is no source either.
const std::vector<SourceFile>& source_files() {
  static const std::vector<SourceFile> files = [] {
    std::vector<SourceFile> found;
    const fs::path root = FORGE_SOURCE_DIR;
    for (auto it = fs::recursive_directory_iterator(root); it != fs::end(it); ++it) {
      const std::string name = it->path().filename().string();
      if (it->is_directory() && (name == "build" || name == "data" || name == "__pycache__" ||
                                 (name.starts_with('.') && name != ".ci"))) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file() && is_source(it->path())) {
        std::ifstream file(it->path(), std::ios::binary);
        found.push_back({fs::relative(it->path(), root).generic_string(),
                         {std::istreambuf_iterator<char>(file), {}}});
      }
    }
    return found;
  }();
  return files;
}

void expect_none(const Findings& findings) {
  for (const auto& finding : findings) ADD_FAILURE() << finding;
}

bool is_below(const SourceFile& file, std::string_view directory) {
  return file.path.starts_with(directory);
}

TEST(SourceTree, TheWalkFindsTheSources) {
  const auto has = [](std::string_view path) {
    return std::any_of(source_files().begin(), source_files().end(),
                       [path](const SourceFile& file) { return file.path == path; });
  };
  EXPECT_TRUE(has("src/forge/base/result.h"));
  EXPECT_TRUE(has("tests/tree/source_tree_test.cpp"));
  EXPECT_TRUE(has("Makefile"));
  EXPECT_TRUE(has(".ci/run"));
}

TEST(SourceTree, IncludesPointDownTheLadder) {
  for (const auto& file : source_files()) {
    const bool is_code = !file.path.ends_with(".txt") && !file.path.ends_with(".md");
    if (is_below(file, "src/forge/") && file.path != "src/forge/CMakeLists.txt" && is_code) {
      expect_none(check_includes(file.path, file.text));
    }
  }
}

TEST(SourceTree, EveryFileSaysWhatItIs) {
  for (const auto& file : source_files()) expect_none(check_opening(file.path, file.text));
}

TEST(SourceTree, NamesSaySomething) {
  for (const auto& file : source_files()) expect_none(check_path_names(file.path));
}

TEST(SourceTree, NoPathsOfOneMachine) {
  for (const auto& file : source_files()) expect_none(check_machine_paths(file.path, file.text));
}

TEST(SourceTree, WhitespaceIsTidy) {
  for (const auto& file : source_files()) expect_none(check_whitespace(file.path, file.text));
}

}  // namespace
}  // namespace forge::tree
