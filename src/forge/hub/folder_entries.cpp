#include "forge/hub/folder_entries.h"

#include <algorithm>
#include <system_error>

namespace forge::hub {

namespace fs = std::filesystem;

std::vector<fs::path> folder_entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  if (!fs::is_directory(fs::symlink_status(folder, failure))) return found;
  for (const auto& entry : fs::directory_iterator(folder, failure)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace forge::hub
