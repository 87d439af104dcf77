#include "forge/models/cuda/library/algorithm_file.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string_view>

#include "forge/base/hash.h"
#include "forge/base/json.h"
#include "forge/formats/output_file.h"

namespace forge::models::cuda {
namespace {

namespace fs = std::filesystem;
namespace lt = kernels::cuda::cublaslt;
using kernels::cuda::WeightKind;

constexpr int64_t kFormat = 1;
/// A model has some tens of products; more is not ours.
constexpr uintmax_t kMostBytes = uintmax_t{4} << 20;
constexpr size_t kWords = sizeof(lt::Algorithm) / sizeof(uint64_t);

std::string text_of(const AlgorithmFileKey& key) {
  return fmt::format("{}, compute capability {}, {} processors, CUDA {}, cuBLASLt {}",
                     key.device.name, key.device.compute_capability, key.device.n_processors,
                     key.device.driver_version, key.library_version);
}

std::string text_of(const lt::Algorithm& algorithm) {
  std::string text;
  for (const uint64_t word : algorithm.data) text += fmt::format("{:016x}", word);
  return text;
}

bool read(std::string_view text, lt::Algorithm& algorithm) {
  if (text.size() != kWords * 16) return false;
  for (uint64_t& word : algorithm.data) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + 16, word, 16);
    if (error != std::errc() || end != text.data() + 16) return false;
    text.remove_prefix(16);
  }
  return true;
}

/// Over everything that a record says: one flipped bit of an algorithm would be another algorithm.
std::string check_of(const ProductKey& key, const ProductChoice& choice) {
  const std::string text =
      fmt::format("{} {} {} {} {} {} {} {} {}", static_cast<int>(key.kind), key.rows, key.columns,
                  key.n_tokens, choice.own_ns, choice.library_ns, choice.slab_rows,
                  text_of(choice.algorithm), text_of(choice.last_algorithm));
  return fmt::format("{:016x}", hash64(std::as_bytes(std::span(text))));
}

bool read(const json::Value& record, ProductKey& key, ProductChoice& choice) {
  const auto integer = [&](const char* name, int64_t most) {
    const auto value = record.find(name).as_int();
    return value && *value >= 0 && *value <= most ? static_cast<int32_t>(*value) : -1;
  };
  constexpr int64_t kMost = int64_t{1} << 30;
  const int32_t kind = integer("kind", static_cast<int64_t>(WeightKind::kInt6));
  key = {static_cast<WeightKind>(kind), integer("rows", kMost), integer("columns", kMost),
         integer("tokens", kMost)};
  choice.own_ns = record.find("own_ns").as_int().value_or(-1);
  choice.library_ns = record.find("library_ns").as_int().value_or(-1);
  choice.slab_rows = integer("slab_rows", kMost);
  return kind >= 0 && key.rows > 0 && key.columns > 0 && key.n_tokens > 0 && choice.slab_rows > 0 &&
         read(record.find("algorithm").as_string().value_or(""), choice.algorithm) &&
         read(record.find("last_algorithm").as_string().value_or(""), choice.last_algorithm) &&
         record.find("check").as_string() == check_of(key, choice);
}

std::string folder() {
  const auto absolute = [](const char* name) -> std::string {
    const char* const value = std::getenv(name);
    return value != nullptr && value[0] == '/' ? value : "";
  };
  std::string cache = absolute("XDG_CACHE_HOME");
  if (cache.empty()) {
    const std::string home = absolute("HOME");
    if (home.empty()) return {};
    cache = home + "/.cache";
  }
  return cache + "/forge/cublaslt";
}

}  // namespace

std::string algorithm_file_path(const AlgorithmFileKey& key) {
  const std::string where = folder();
  if (where.empty()) return {};
  std::string name = key.device.name;
  for (char& c : name) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
    if (!is_plain) c = '_';
  }
  return where + "/" + name + ".json";
}

Result<ProductTable> read_algorithm_file(const std::string& path, const AlgorithmFileKey& key) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status)) return ProductTable{};
  const auto unlike = [&](std::string_view why) { return make_error("{}: {}", path, why); };
  if (!fs::is_regular_file(status)) return unlike("no file");
  if (fs::file_size(path, error) > kMostBytes || error) return unlike("too large to be Forge's");
  FORGE_TRY(const json::Document document, json::Document::load(path));
  const json::Value root = document.root();
  if (root.find("format").as_int() != kFormat || !root.find("products").is_array()) {
    return unlike("not as this version of Forge writes it");
  }
  const auto made_for = root.find("made_for").as_string();
  if (made_for != text_of(key)) {
    return unlike(
        fmt::format("made for {}, this is {}", made_for.value_or("nothing"), text_of(key)));
  }
  ProductTable table;
  const json::Value products = root.find("products");
  for (size_t i = 0; i < products.size(); ++i) {
    ProductKey product;
    ProductChoice choice;
    if (!read(products.at(i), product, choice)) {
      return unlike(fmt::format("product {} is damaged", i));
    }
    table.emplace(product, choice);
  }
  return table;
}

Status write_algorithm_file(const std::string& path, const AlgorithmFileKey& key,
                            const ProductTable& table) {
  json::Writer writer(json::Writer::Layout::kIndented);
  writer.begin_object().member("format", kFormat).member("made_for", text_of(key));
  writer.key("products").begin_array();
  for (const auto& [product, choice] : table) {
    writer.begin_object()
        .member("kind", static_cast<int32_t>(product.kind))
        .member("rows", product.rows)
        .member("columns", product.columns)
        .member("tokens", product.n_tokens)
        .member("own_ns", choice.own_ns)
        .member("library_ns", choice.library_ns)
        .member("slab_rows", choice.slab_rows)
        .member("algorithm", text_of(choice.algorithm))
        .member("last_algorithm", text_of(choice.last_algorithm))
        .member("check", check_of(product, choice))
        .end_object();
  }
  writer.end_array().end_object();
  const std::string text = writer.text() + "\n";
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return make_error("{}: {}", fs::path(path).parent_path().string(), error.message());
  FORGE_TRY(formats::OutputFile file, formats::OutputFile::create(path));
  file.write(std::as_bytes(std::span(text)));
  return file.commit();
}

}  // namespace forge::models::cuda
