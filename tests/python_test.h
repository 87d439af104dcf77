// Tests whose servers are written in Python.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

namespace forge {

/// Whether there is a python3.
inline bool has_python() {
  static const bool has = std::system("command -v python3 > /dev/null 2>&1") == 0;
  return has;
}

/// Skips its tests where there is none.
class PythonTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_python()) GTEST_SKIP() << "there is no python3";
  }
};

}  // namespace forge
