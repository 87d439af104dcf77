// Tokenizer files of the shared data, unpacked where they are packed.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/temporary_folder.h"

namespace forge::text {

/// Copies a file into the folder, unpacking it where its name ends in .gz. as: the name it gets.
inline void take(const TemporaryFolder& folder, const std::string& source, const std::string& as) {
  const std::string target = folder.path(as);
  if (!source.ends_with(".gz")) {
    std::filesystem::copy_file(source, target);
    return;
  }
  const std::string command = "gzip -dc '" + source + "' > '" + target + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

}  // namespace forge::text
