// What lies in a folder of the cache.
#pragma once

#include <filesystem>
#include <vector>

namespace forge::hub {

/// Entries of a folder, sorted; none where it is a link or not there.
[[nodiscard]] std::vector<std::filesystem::path> folder_entries(
    const std::filesystem::path& folder);

}  // namespace forge::hub
