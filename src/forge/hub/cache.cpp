#include "forge/hub/cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "forge/hub/model_name.h"

namespace forge::hub {
namespace {

namespace fs = std::filesystem;

std::string message_of(int error) { return std::generic_category().message(error); }

/// An open folder, closed at the end.
class Folder {
 public:
  explicit Folder(int descriptor) : descriptor_(descriptor) {}
  ~Folder() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Folder(Folder&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Folder& operator=(Folder&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Opens a path below a folder, part by part, making what is missing and following no link.
Result<Folder> open_below(const std::string& folder, std::string_view path) {
  Folder at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (at.descriptor() < 0) return make_error("{}: {}", folder, message_of(errno));
  while (!path.empty()) {
    const std::string part(path.substr(0, path.find('/')));
    path.remove_prefix(std::min(part.size() + 1, path.size()));
    if (::mkdirat(at.descriptor(), part.c_str(), 0777) != 0 && errno != EEXIST) {
      return make_error("{}: cannot make {}: {}", folder, part, message_of(errno));
    }
    Folder next(
        ::openat(at.descriptor(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (next.descriptor() < 0) {
      return make_error("{}: {} in it is no folder of the cache ({}): delete it", folder, part,
                        message_of(errno));
    }
    at = std::move(next);
  }
  return at;
}

std::string folder_name(std::string_view repo) {
  std::string name = "models--";
  for (const char c : repo) name += c == '/' ? std::string("--") : std::string(1, c);
  return name;
}

}  // namespace

std::string Cache::repo_folder(std::string_view repo) const {
  return folder_ + "/" + folder_name(repo);
}

std::string Cache::snapshot_folder(std::string_view repo, std::string_view commit) const {
  return fmt::format("{}/snapshots/{}", repo_folder(repo), commit);
}

std::string Cache::blob_path(std::string_view repo, std::string_view hash) const {
  return fmt::format("{}/blobs/{}", repo_folder(repo), hash);
}

std::string Cache::lock_path(std::string_view repo, std::string_view hash) const {
  return fmt::format("{}/.locks/{}/{}.lock", folder_, folder_name(repo), hash);
}

std::optional<std::string> Cache::find_commit(std::string_view repo,
                                              std::string_view revision) const {
  std::error_code ignored;
  if (is_commit(revision)) {
    if (!fs::is_directory(snapshot_folder(repo, revision), ignored)) return std::nullopt;
    return std::string(revision);
  }
  std::ifstream file(fmt::format("{}/refs/{}", repo_folder(repo), revision));
  std::string commit(64, '\0');
  file.read(commit.data(), static_cast<std::streamsize>(commit.size()));
  commit.resize(static_cast<size_t>(file.gcount()));
  while (commit.ends_with('\n') || commit.ends_with(' ')) commit.pop_back();
  if (!is_commit(commit)) return std::nullopt;
  return commit;
}

Status Cache::make_folders(std::string_view repo) const {
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure) {
    return make_error(
        "{}: cannot make this folder for models: {}: set HF_HOME to one that can be "
        "written",
        folder_, failure.message());
  }
  for (const std::string& path : {folder_name(repo) + "/blobs", folder_name(repo) + "/snapshots",
                                  ".locks/" + folder_name(repo)}) {
    const Result<Folder> made = open_below(folder_, path);
    if (!made.ok()) return made.error();
  }
  // Backups leave such folders out (bford.info/cachedir); huggingface_hub writes the same.
  const std::string tag = folder_ + "/CACHEDIR.TAG";
  if (!fs::exists(tag, failure)) {
    std::ofstream(tag) << "Signature: 8a477f597d28d172789f06886806bc55\n"
                          "# This file is a cache directory tag created by huggingface_hub.\n"
                          "# For information about cache directory tags, see:\n"
                          "#\thttps://bford.info/cachedir/\n";
  }
  return {};
}

Status Cache::link_file(std::string_view repo, std::string_view commit, std::string_view file,
                        std::string_view hash) const {
  const size_t slash = file.rfind('/');
  const std::string_view above = slash == file.npos ? "" : file.substr(0, slash);
  const std::string name(slash == file.npos ? file : file.substr(slash + 1));
  std::string below = fmt::format("snapshots/{}", commit);
  std::string target = "../../";
  if (!above.empty()) {
    below += fmt::format("/{}", above);
    for (size_t at = 0; at != above.npos; at = above.find('/', at + 1)) target += "../";
  }
  target += fmt::format("blobs/{}", hash);
  FORGE_TRY(const Folder folder, open_below(repo_folder(repo), below));
  std::string present(4096, '\0');
  const ssize_t n = ::readlinkat(folder.descriptor(), name.c_str(), present.data(), present.size());
  if (n >= 0 && present.substr(0, static_cast<size_t>(n)) == target) return {};
  const std::string new_name = fmt::format(".{}.{}.tmp", hash.substr(0, 8), ::getpid());
  if (::symlinkat(target.c_str(), folder.descriptor(), new_name.c_str()) != 0 ||
      ::renameat(folder.descriptor(), new_name.c_str(), folder.descriptor(), name.c_str()) != 0) {
    const int error = errno;
    ::unlinkat(folder.descriptor(), new_name.c_str(), 0);
    return make_error("{}/{}/{}: cannot make this link: {}", repo_folder(repo), below, name,
                      message_of(error));
  }
  return {};
}

Status Cache::write_ref(std::string_view repo, std::string_view revision,
                        std::string_view commit) const {
  if (revision == commit || find_commit(repo, revision) == commit) return {};
  const size_t slash = revision.rfind('/');
  const std::string name(slash == revision.npos ? revision : revision.substr(slash + 1));
  const std::string below =
      "refs" + (slash == revision.npos ? "" : "/" + std::string(revision.substr(0, slash)));
  FORGE_TRY(const Folder folder, open_below(repo_folder(repo), below));
  const std::string new_name = fmt::format("{}.{}.tmp", name, ::getpid());
  const int file = ::openat(folder.descriptor(), new_name.c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  const bool is_written = file >= 0 && ::write(file, commit.data(), commit.size()) ==
                                           static_cast<ssize_t>(commit.size());
  if (file >= 0) ::close(file);
  if (!is_written ||
      ::renameat(folder.descriptor(), new_name.c_str(), folder.descriptor(), name.c_str()) != 0) {
    return make_error("{}/{}/{}: cannot write: {}", repo_folder(repo), below, name,
                      message_of(errno));
  }
  return {};
}

std::optional<std::string> repo_of_folder(std::string_view folder_name) {
  constexpr std::string_view kModels = "models--";
  if (!folder_name.starts_with(kModels)) return std::nullopt;
  std::string repo(folder_name.substr(kModels.size()));
  const size_t at = repo.find("--");
  if (at != repo.npos) repo.replace(at, 2, "/");
  if (repo.empty() || repo.find("--") != repo.npos || repo.find("..") != repo.npos) {
    return std::nullopt;
  }
  return repo;
}

}  // namespace forge::hub
