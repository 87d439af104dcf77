#include "forge/convert/verify.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <utility>

#include "forge/base/format_bytes.h"
#include "forge/base/mapped_file.h"
#include "forge/base/thread_pool.h"
#include "forge/convert/file_hash.h"
#include "forge/convert/value_scan.h"
#include "forge/convert/verify_vocabulary.h"
#include "forge/formats/gguf.h"
#include "forge/formats/hf_folder.h"
#include "forge/formats/quote.h"
#include "forge/formats/safetensors.h"
#include "forge/models/bind_weights.h"
#include "forge/models/model_config.h"
#include "forge/models/token_ids.h"

namespace forge::convert {
namespace {

namespace fs = std::filesystem;
using Outcome = Check::Outcome;

/// What the checks learn of the model, for those that follow.
struct Opened {
  std::optional<formats::GgufFile> gguf;
  std::optional<formats::HfFolder> folder;
  formats::TensorSet folder_tensors;
  std::optional<models::ModelSpec> spec;

  [[nodiscard]] const formats::TensorSet& tensors() const {
    return gguf ? gguf->tensors() : folder_tensors;
  }
  [[nodiscard]] models::CheckpointFormat format() const {
    return gguf ? models::CheckpointFormat::kGguf : models::CheckpointFormat::kHuggingFace;
  }
};

/// Bytes that no tensor owns, beyond what padding explains, are the sign of a file that was
/// written over or put together wrongly.
Status check_ends(const formats::TensorSet& tensors) {
  for (const MappedFile& file : tensors.mappings()) {
    const std::byte* end = file.bytes().data();
    for (const formats::NamedTensor& tensor : tensors.tensors()) {
      if (tensor.file != file.path()) continue;
      end = std::max(end, tensor.view.data + tensor.view.bytes());
    }
    const auto rest = file.bytes().data() + file.bytes().size() - end;
    constexpr int64_t kMostPadding = 4096;  // alignments in use go up to a page
    if (end != file.bytes().data() && rest >= kMostPadding) {
      return make_error("{}: {} bytes follow the last tensor, expected the file to end",
                        file.path(), rest);
    }
  }
  return {};
}

int64_t total_bytes(const formats::TensorSet& tensors) {
  int64_t bytes = 0;
  for (const MappedFile& file : tensors.mappings()) {
    bytes += static_cast<int64_t>(file.bytes().size());
  }
  return bytes;
}

Result<std::string> open_gguf(const std::string& path, Opened& opened) {
  FORGE_TRY(opened.gguf, formats::GgufFile::open(path));
  FORGE_TRY_STATUS(check_ends(opened.tensors()));
  const size_t n_files = opened.tensors().mappings().size();
  return fmt::format("GGUF {}, {} keys, {} tensors, {} in {} file{}", opened.gguf->version(),
                     opened.gguf->metadata().size(), opened.tensors().tensors().size(),
                     format_bytes(total_bytes(opened.tensors())), n_files, n_files == 1 ? "" : "s");
}

Result<std::string> open_folder(const std::string& path, Opened& opened) {
  FORGE_TRY(opened.folder, formats::open_hf_folder(path));
  FORGE_TRY(opened.folder_tensors, formats::open_safetensors_folder(path));
  const size_t n_files = opened.tensors().mappings().size();
  return fmt::format("config.json, {} tensors, {} in {} safetensors file{}",
                     opened.tensors().tensors().size(), format_bytes(total_bytes(opened.tensors())),
                     n_files, n_files == 1 ? "" : "s");
}

Result<std::string> read_spec(const std::string& path, Opened& opened) {
  if (opened.gguf) {
    FORGE_TRY(opened.spec, models::read_gguf_spec(*opened.gguf, {}));
    models::read_gguf_token_ids(*opened.gguf, *opened.spec);
  } else {
    const json::Value config = opened.folder->config.root();
    FORGE_TRY(opened.spec, models::read_hf_spec(config, path + "/config.json", {}));
    const json::Value generation =
        opened.folder->generation_config ? opened.folder->generation_config->root() : json::Value();
    FORGE_TRY_STATUS(models::read_hf_token_ids(config, generation, path, *opened.spec));
  }
  const models::ModelSpec& spec = *opened.spec;
  return fmt::format("{}, {} layers of {}, vocabulary of {}, context of {}", spec.architecture,
                     spec.n_layers, spec.hidden_dim, spec.vocab_size, spec.context_len);
}

Result<std::string> check_tensors(const std::string& path, const Opened& opened) {
  FORGE_TRY([[maybe_unused]] const models::ModelWeights weights,
            models::bind_weights(*opened.spec, opened.tensors(), opened.format(), path));
  return fmt::format("{}, all of the architecture, none besides",
                     opened.tensors().tensors().size());
}

/// Work that two threads share: how far it is, and whether to go on.
struct Shared {
  std::atomic<int64_t> done = 0;
  std::atomic<bool> is_ended = false;
};

/// The first fault in the order of the files, whichever thread meets it.
Result<std::string> check_values(const formats::TensorSet& tensors, ThreadPool& pool,
                                 Shared& shared, const std::function<void()>& report) {
  constexpr int64_t kSlabBytes = int64_t{64} << 20;
  constexpr int64_t kGrainBytes = int64_t{1} << 20;
  int64_t n_values = 0;
  for (const formats::NamedTensor& tensor : tensors.tensors()) {
    const TensorView& view = tensor.view;
    const DTypeInfo& type = info(view.dtype);
    const int64_t n_blocks = view.bytes() / type.block_bytes;
    const int64_t slab = std::max<int64_t>(1, kSlabBytes / type.block_bytes);
    for (int64_t first = 0; first < n_blocks && !shared.is_ended; first += slab) {
      const int64_t n = std::min(slab, n_blocks - first);
      const std::byte* data = view.data + first * type.block_bytes;
      std::atomic<int64_t> lowest = INT64_MAX;
      pool.parallel_for(n, kGrainBytes / type.block_bytes, [&](int64_t begin, int64_t end) {
        const int64_t bad =
            first_bad_block(view.dtype, data + begin * type.block_bytes, end - begin);
        int64_t seen = lowest;
        while (bad >= 0 && begin + bad < seen && !lowest.compare_exchange_weak(seen, begin + bad)) {
        }
      });
      if (lowest != INT64_MAX) {
        const int64_t at = (first + lowest) * type.block_len;
        const bool is_block = type.block_len > 1;
        return make_error("{}: tensor {}: {} [{}, {}] ({}) {}", tensor.file,
                          formats::quote(tensor.name), is_block ? "the block at" : "element",
                          at / view.columns(), at % view.columns(), type.name,
                          is_block ? "has a scale that is NaN or infinite" : "is NaN or infinite");
      }
      release_pages({data, static_cast<size_t>(n * type.block_bytes)});
      shared.done += n * type.block_bytes;
      report();
    }
    n_values += view.rows() * view.columns();
  }
  return fmt::format("{} weights, all finite", n_values);
}

/// The hash that a file's own name says it has: blobs of the Hub's cache.
std::string hash_in_name(const std::string& path) {
  std::error_code ignored;
  const std::string name = fs::canonical(path, ignored).filename().string();
  return is_sha256(name) ? name : std::string();
}

Check check_hash(const std::string& path, std::string expected, Shared& shared) {
  Check check{.name = "sha256", .detail = {}};
  if (expected.empty()) expected = hash_in_name(path);
  const Result<std::string> found = sha256_of_file(path, [&shared](int64_t n) {
    shared.done += n;
    return !shared.is_ended;
  });
  if (!found.ok()) {
    check.outcome = Outcome::kFailed;
    check.detail = found.error().message;
  } else if (expected.empty()) {
    check.detail = fmt::format("{}  {}", *found, path);
  } else if (*found == expected) {
    check.detail = fmt::format("{}  {}, as expected", *found, path);
  } else {
    check.outcome = Outcome::kFailed;
    check.detail = fmt::format("{}: found {}, expected {}", path, *found, expected);
  }
  return check;
}

class Verifier {
 public:
  Verifier(const std::string& path, const VerifyOptions& options)
      : path_(path), options_(options) {}

  VerifyResult run() {
    std::error_code ignored;
    const bool is_folder = fs::is_directory(path_, ignored);
    const bool is_open = check("structure", true, [&] {
      return is_folder ? open_folder(path_, opened_) : open_gguf(path_, opened_);
    });
    const bool has_spec = check("architecture", is_open, [&] { return read_spec(path_, opened_); });
    check("tensors", has_spec, [&] { return check_tensors(path_, opened_); });
    check_bytes(is_open, is_folder);
    if (!result_.is_complete) return std::move(result_);
    VocabularyReport vocabulary;
    const bool has_tokenizer = check("tokenizer", has_spec, [&] {
      return opened_.gguf ? check_gguf_vocabulary(*opened_.gguf, *opened_.spec, vocabulary)
                          : check_folder_vocabulary(path_, *opened_.spec, vocabulary);
    });
    check("chat template", has_tokenizer, [&] { return check_chat_template(path_, vocabulary); });
    for (Check& hash : hashes_) add(std::move(hash));
    return std::move(result_);
  }

 private:
  template <typename Body>
  bool check(const char* name, bool is_possible, const Body& body) {
    Check check{.name = name, .detail = {}};
    if (!is_possible) {
      check.outcome = Outcome::kNotChecked;
      check.detail = "an earlier check failed";
    } else {
      Result<std::string> found = body();
      check.outcome = found.ok() ? Outcome::kOk : Outcome::kFailed;
      check.detail = found.ok() ? *std::move(found) : found.error().message;
    }
    const bool is_ok = check.outcome == Outcome::kOk;
    add(std::move(check));
    return is_ok;
  }

  void add(Check check) {
    if (options_.on_check) options_.on_check(check);
    result_.checks.push_back(std::move(check));
  }

  // Values on the pool, hashes on a thread beside it.
  void check_bytes(bool is_open, bool is_folder) {
    std::vector<std::string> files;
    for (const MappedFile& file : opened_.tensors().mappings()) files.push_back(file.path());
    // A file that is no GGUF still has a hash.
    if (files.empty() && !is_folder) files.push_back(path_);
    if (!options_.sha256.empty() && files.size() != 1) {
      hashes_.push_back({"sha256", Outcome::kFailed,
                         fmt::format("{}: {} files, but one expected hash", path_, files.size())});
      files.clear();
    }
    Shared shared;
    const int64_t total = 2 * total_bytes(opened_.tensors());
    auto hashing = std::async(std::launch::async, [&] {
      for (const std::string& file : files) {
        hashes_.push_back(check_hash(file, options_.sha256, shared));
      }
    });
    const auto report = [&] {
      if (options_.on_progress && !options_.on_progress(shared.done, total)) shared.is_ended = true;
    };
    {
      ThreadPool pool(std::max(1, options_.n_threads - 1));
      Result<std::string> found = check_values(opened_.tensors(), pool, shared, report);
      if (!shared.is_ended) check("values", is_open, [&] { return std::move(found); });
    }
    constexpr std::chrono::milliseconds kBetweenReports(100);
    do report();
    while (hashing.wait_for(kBetweenReports) != std::future_status::ready);
    result_.is_complete = !shared.is_ended;
  }

  const std::string& path_;
  const VerifyOptions& options_;
  Opened opened_;
  VerifyResult result_;
  std::vector<Check> hashes_;
};

}  // namespace

bool VerifyResult::is_ok() const {
  return is_complete && std::ranges::all_of(checks, [](const Check& check) {
           return check.outcome == Outcome::kOk;
         });
}

VerifyResult verify(const std::string& path, const VerifyOptions& options) {
  return Verifier(path, options).run();
}

}  // namespace forge::convert
