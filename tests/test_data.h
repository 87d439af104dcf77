// Where the shared test data lies. It is never part of this repository; tests skip without it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace forge {

/// $FORGE_TEST_DATA, else ../shared/data beside the source tree. May not exist.
inline std::string test_data_dir() {
  if (const char* dir = std::getenv("FORGE_TEST_DATA")) return dir;
  return std::string(FORGE_SOURCE_DIR) + "/../shared/data";
}

/// Path of a file of the test data, or empty where it is absent.
inline std::string test_data(const std::string& relative) {
  const std::string path = test_data_dir() + "/" + relative;
  return std::filesystem::exists(path) ? path : std::string();
}

}  // namespace forge

/// First line of a test that needs shared data: skips, with the path that is missing.
#define FORGE_REQUIRE_DATA(variable, relative)               \
  const std::string variable = ::forge::test_data(relative); \
  if (variable.empty())                                      \
  GTEST_SKIP() << "no test data: " << ::forge::test_data_dir() << "/" << relative
