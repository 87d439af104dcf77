#include "forge/models/cpu/packed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <vector>

#include "forge/base/hash.h"
#include "forge/base/work_ranges.h"
#include "forge/kernels/cpu/packed_format.h"

namespace forge::models::cpu {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kChunkBytes = 2 * 1024 * 1024;
constexpr int64_t kPayloadAlign = 4096;

std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

void describe(std::string& header, std::string_view what, const PackedMatrix& matrix) {
  if (matrix.rows == 0) return;
  fmt::format_to(std::back_inserter(header), "{} {} {} x {}\n", what, info(matrix.dtype).name,
                 matrix.rows, matrix.k);
}

std::string header_of(const Model& model, std::optional<DType> quantize,
                      const PackedWeights& layout) {
  std::string header =
      fmt::format("forge packed weights\nlayout {}\n", kernels::cpu::kPackedLayout);
  const auto out = std::back_inserter(header);
  for (const MappedFile& file : model.tensor_set().mappings()) {
    fmt::format_to(out, "from {}: {} bytes, modified {} ns\n", fs::absolute(file.path()).string(),
                   file.bytes().size(), file.modified_ns());
  }
  fmt::format_to(out, "quantize {}\n", quantize ? info(*quantize).name : "nothing");
  for (size_t i = 0; i < layout.layers.size(); ++i) {
    const PackedLayer& layer = layout.layers[i];
    fmt::format_to(out, "layer {}\n", i);
    describe(header, "q", layer.q);
    describe(header, "k", layer.k);
    describe(header, "v", layer.v);
    describe(header, "output", layer.output);
    describe(header, "gate", layer.gate);
    describe(header, "up", layer.up);
    describe(header, "down", layer.down);
  }
  describe(header, "head", layout.head);
  fmt::format_to(out, "chunks of {} bytes\n\n", kChunkBytes);
  return header;
}

/// The hash of every chunk.
std::vector<uint64_t> hash_chunks(std::span<const std::byte> payload, ThreadTeam& team) {
  const auto size = static_cast<int64_t>(payload.size());
  const auto n_chunks = static_cast<int32_t>((size + kChunkBytes - 1) / kChunkBytes);
  std::vector<uint64_t> hashes(static_cast<size_t>(n_chunks));
  WorkRanges ranges(team.n_threads());
  team.run(1, [&](int stage, int worker) {
    while (const auto chunk = ranges.next(stage, worker, n_chunks)) {
      const int64_t begin = *chunk * kChunkBytes;
      const int64_t n = std::min(kChunkBytes, size - begin);
      hashes[static_cast<size_t>(*chunk)] =
          hash64(payload.subspan(static_cast<size_t>(begin), static_cast<size_t>(n)));
    }
  });
  return hashes;
}

/// Header and hashes as the file has them.
std::string front_of(const PackedFileKey& key, const std::vector<uint64_t>& hashes) {
  std::string front = key.header;
  const auto append = [&](const uint64_t* values, size_t n) {
    front.append(reinterpret_cast<const char*>(values), n * sizeof(uint64_t));
  };
  append(hashes.data(), hashes.size());
  const uint64_t own = hash64(as_bytes(front));
  append(&own, 1);
  return front;
}

/// The first line that differs, as "...", expected "...".
std::string first_difference(std::string_view found, std::string_view expected) {
  while (true) {
    const std::string_view a = found.substr(0, found.find('\n'));
    const std::string_view b = expected.substr(0, expected.find('\n'));
    if (a != b || found.size() == a.size() || expected.size() == b.size()) {
      constexpr size_t kMost = 300;  // a damaged line may be long
      return fmt::format("\"{}\", expected \"{}\"", a.substr(0, kMost), b);
    }
    found.remove_prefix(a.size() + 1);
    expected.remove_prefix(b.size() + 1);
  }
}

/// Whether a path still names the file behind a descriptor.
bool is_same_file(int fd, const std::string& path) {
  struct stat by_fd {
  }, by_path{};
  return ::fstat(fd, &by_fd) == 0 && ::stat(path.c_str(), &by_path) == 0 &&
         by_fd.st_dev == by_path.st_dev && by_fd.st_ino == by_path.st_ino;
}

Status write_all(int fd, const std::byte* data, size_t n) {
  while (n > 0) {
    const ssize_t written = ::write(fd, data, n);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return make_error("{}", std::strerror(errno));
    data += written;
    n -= static_cast<size_t>(written);
  }
  return {};
}

}  // namespace

int64_t PackedFileKey::n_chunks() const { return (payload_bytes + kChunkBytes - 1) / kChunkBytes; }

int64_t PackedFileKey::payload_offset() const {
  const int64_t front = static_cast<int64_t>(header.size()) + (n_chunks() + 1) * 8;
  return (front + kPayloadAlign - 1) / kPayloadAlign * kPayloadAlign;
}

PackedFileKey packed_file_key(const Model& model, std::optional<DType> quantize,
                              const PackedWeights& layout, const std::string& folder) {
  const fs::path source = fs::absolute(model.path).lexically_normal();
  const fs::path named = source.has_filename() ? source : source.parent_path();
  const std::string type = quantize ? std::string(info(*quantize).name) : "";
  const uint64_t hash = hash64(as_bytes(named.string() + '\n' + type));
  return {.path = (fs::path(folder) / fmt::format("{}-{:016x}.packed", named.stem().string(), hash))
                      .string(),
          .header = header_of(model, quantize, layout),
          .payload_bytes = layout.bytes};
}

Result<MappedFile> open_packed_file(const PackedFileKey& key, ThreadTeam& team) {
  FORGE_TRY(MappedFile file, MappedFile::open(key.path));
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  if (!text.starts_with(key.header)) {
    return make_error("stale: it says {}",
                      first_difference(text.substr(0, key.header.size()), key.header));
  }
  const auto offset = static_cast<size_t>(key.payload_offset());
  const size_t expected = offset + static_cast<size_t>(key.payload_bytes);
  if (text.size() != expected) {
    return make_error("damaged: {} bytes, expected {}", text.size(), expected);
  }
  const std::vector<uint64_t> hashes = hash_chunks(file.bytes().subspan(offset), team);
  const std::string front = front_of(key, hashes);
  if (!text.starts_with(front)) {
    return make_error("damaged: its bytes do not match their hashes");
  }
  return file;
}

Status write_packed_file(const PackedFileKey& key, std::span<const std::byte> payload,
                         ThreadTeam& team) {
  std::error_code error;
  const fs::path folder = fs::path(key.path).parent_path();
  fs::create_directories(folder, error);
  if (error) return make_error("{}: {}", folder.string(), error.message());
  const std::string temporary = key.path + ".tmp";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return make_error("{}: {}", temporary, std::strerror(errno));
  const auto write = [&]() -> Status {
    // Between open and lock another process may have finished: the descriptor is the finished
    // file's then, which processes have mapped.
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 || !is_same_file(fd, temporary)) {
      return make_error("another process is writing it");
    }
    if (::ftruncate(fd, 0) != 0) return make_error("{}", std::strerror(errno));
    std::string front = front_of(key, hash_chunks(payload, team));
    front.resize(static_cast<size_t>(key.payload_offset()));
    Status status = write_all(fd, as_bytes(front).data(), front.size());
    if (status.ok()) status = write_all(fd, payload.data(), payload.size());
    // Not synced: what a power cut loses, the hashes find.
    if (status.ok() && ::rename(temporary.c_str(), key.path.c_str()) != 0) {
      status = make_error("{}", std::strerror(errno));
    }
    if (!status.ok()) ::unlink(temporary.c_str());
    return status;
  };
  const Status status = write();
  ::close(fd);
  if (!status.ok()) return make_error("{}: {}", key.path, status.error().message);
  return {};
}

}  // namespace forge::models::cpu
