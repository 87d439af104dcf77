#include "forge/convert/output_place.h"

#include <algorithm>
#include <filesystem>

#include "forge/base/format_bytes.h"

namespace forge::convert {
namespace {

namespace fs = std::filesystem;

bool is_input(const models::Model& model, const std::string& out) {
  std::error_code ignored;
  const auto is_same = [&](const MappedFile& file) {
    return fs::equivalent(file.path(), out, ignored);
  };
  return std::ranges::any_of(model.tensor_set().mappings(), is_same);
}

}  // namespace

Status check_output_place(const models::Model& model, const std::string& out, int64_t n_bytes,
                          bool overwrite) {
  std::error_code failure;
  const fs::file_status status = fs::status(out, failure);
  if (fs::is_directory(status)) {
    return make_error("{}: is a folder, expected the name of the file to write", out);
  }
  if (fs::exists(status)) {
    if (!fs::is_regular_file(status)) {
      return make_error("{}: is no regular file, expected the name of the file to write", out);
    }
    if (is_input(model, out)) {
      return make_error("{}: is the input; expected another name for the output", out);
    }
    if (!overwrite) return make_error("{}: exists already: --force replaces it", out);
  }
  const fs::path folder = fs::absolute(out, failure).parent_path();
  if (!fs::is_directory(folder, failure)) {
    return make_error("{}: there is no folder {}", out, folder.string());
  }
  const fs::space_info space = fs::space(folder, failure);
  if (!failure && space.available < static_cast<uintmax_t>(n_bytes)) {
    return make_error("{}: needs {}, but only {} are free there", out, format_bytes(n_bytes),
                      format_bytes(static_cast<int64_t>(space.available)));
  }
  return {};
}

}  // namespace forge::convert
