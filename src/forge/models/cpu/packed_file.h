// Packed weights in a file: the next start maps them instead of packing the checkpoint again.
//
//   header     text, a line each: layout of the packed formats, the checkpoint's files with size
//   and
//              time, every matrix; ends with an empty line (`head` shows it)
//   hashes     XXH3 of every chunk of the payload, then of header and hashes so far; 8 bytes each
//   payload    the matrices as PackedWeights has them, from the next multiple of 4,096 bytes on
//
// A reader knows what the header must be and compares it whole: nothing is parsed, so nothing in a
// file can say where to read. Whoever can write to the folder can still put other weights there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "forge/base/mapped_file.h"
#include "forge/base/result.h"
#include "forge/base/thread_team.h"
#include "forge/models/cpu/packed_weights.h"
#include "forge/models/model.h"

namespace forge::models::cpu {

/// Where a model's packed weights are kept, and everything that such a file must agree with.
struct PackedFileKey {
  std::string path;
  std::string header;
  int64_t payload_bytes = 0;

  [[nodiscard]] int64_t n_chunks() const;
  [[nodiscard]] int64_t payload_offset() const;
};

/// The key for a model in files (model.is_mapped) in a folder. One name per checkpoint path and
/// quantize: a newer checkpoint replaces the packed file of the older one.
[[nodiscard]] PackedFileKey packed_file_key(const Model& model, std::optional<DType> quantize,
                                            const PackedWeights& layout, const std::string& folder);

/// Maps a packed file, its payload at payload_offset(), and reads all of it once to compare hashes,
/// on all workers. Fails where it is missing, short, stale or damaged, saying which.
[[nodiscard]] Result<MappedFile> open_packed_file(const PackedFileKey& key, ThreadTeam& team);

/// Writes the file in one piece: another process sees the old one, if any, or all of the new one.
/// Fails where the folder cannot be made or written, and where another process is writing it.
[[nodiscard]] Status write_packed_file(const PackedFileKey& key, std::span<const std::byte> payload,
                                       ThreadTeam& team);

}  // namespace forge::models::cpu
