#include "forge/models/cuda/library/product_library.h"

#include <utility>

namespace forge::models::cuda {

using kernels::cuda::Stream;
namespace lt = kernels::cuda::cublaslt;

namespace {

constexpr int kMostCandidates = 8;
/// Of every row that a product reads or writes.
constexpr uint32_t kAlignment = 16;

Error refused(const ProductShape& shape, int status) {
  return make_error("cuBLASLt refuses a product of {} rows, {} columns and {} tokens: {} ({})",
                    shape.n_rows, shape.columns, shape.n_tokens, lt::status_name(status), status);
}

}  // namespace

/// The library's descriptors of one product; making them costs it a few small allocations. It
/// counts columns first: W and x are (columns, n) there, the sums (n_rows, n_tokens).
class ProductLibrary::Description {
 public:
  Description(const lt::Api& api, const ProductShape& shape) : api_(api) {
    const auto rows = static_cast<uint64_t>(shape.n_rows);
    const auto columns = static_cast<uint64_t>(shape.columns);
    const auto tokens = static_cast<uint64_t>(shape.n_tokens);
    status_ = api.describe(&product_, lt::kComputeF32, lt::kF32);
    then([&] {
      return api.set_description(product_, lt::kTransposeA, &lt::kTranspose,
                                 sizeof(lt::kTranspose));
    });
    then([&] { return api.lay_out(&weight_, shape.type, columns, rows, shape.weight_stride); });
    then([&] { return api.lay_out(&x_, shape.type, columns, tokens, shape.x_stride); });
    then([&] { return api.lay_out(&sums_, lt::kF32, rows, tokens, shape.sums_stride); });
  }
  ~Description() {
    if (product_ != nullptr) (void)api_.drop_description(product_);
    for (const lt::Handle layout : {weight_, x_, sums_}) {
      if (layout != nullptr) (void)api_.drop_layout(layout);
    }
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  [[nodiscard]] int candidates(lt::Handle handle, lt::Candidate* found, int* n_found) {
    lt::Handle preference = nullptr;
    then([&] { return api_.prefer(&preference); });
    constexpr auto kWorkspace = static_cast<uint64_t>(kLibraryWorkspaceBytes);
    then([&] {
      return api_.set_preference(preference, lt::kMaxWorkspaceBytes, &kWorkspace,
                                 sizeof(kWorkspace));
    });
    for (int operand = 0; operand < 4; ++operand) {
      then([&] {
        return api_.set_preference(preference, lt::kMinAlignmentA + operand, &kAlignment,
                                   sizeof(kAlignment));
      });
    }
    then([&] {
      return api_.candidates(handle, product_, weight_, x_, sums_, sums_, preference,
                             kMostCandidates, found, n_found);
    });
    if (preference != nullptr) (void)api_.drop_preference(preference);
    return status_;
  }
  [[nodiscard]] int check(lt::Handle handle, const lt::Algorithm& algorithm,
                          lt::Candidate* result) {
    then([&] {
      return api_.check(handle, product_, weight_, x_, sums_, sums_, &algorithm, result);
    });
    return status_;
  }
  [[nodiscard]] int multiply(lt::Handle handle, const ProductData& data,
                             const lt::Algorithm& algorithm, void* stream) {
    const float one = 1.0f;
    const float zero = 0.0f;
    then([&] {
      return api_.multiply(handle, product_, &one, data.weight, weight_, data.x, x_, &zero,
                           data.sums, sums_, data.sums, sums_, &algorithm, data.workspace,
                           static_cast<size_t>(kLibraryWorkspaceBytes), stream);
    });
    return status_;
  }

 private:
  /// The next call, unless one before has failed.
  template <typename Call>
  void then(const Call& call) {
    if (status_ == lt::kSuccess) status_ = call();
  }

  const lt::Api& api_;
  int status_ = lt::kSuccess;
  lt::Handle product_ = nullptr;
  lt::Handle weight_ = nullptr;
  lt::Handle x_ = nullptr;
  lt::Handle sums_ = nullptr;
};

Result<ProductLibrary> ProductLibrary::open(Stream& stream) {
  ProductLibrary library;
  if (const std::string why = library.api_.open(); !why.empty()) {
    return make_error(
        "--fast-nondeterministic needs cuBLASLt, which cannot be opened: {}; install NVIDIA's "
        "package libcublas-13-0, or set FORGE_CUBLASLT to the path of a libcublasLt.so.13 or .12, "
        "or leave the flag away: Forge's own kernels compute prompts then",
        why);
  }
  FORGE_TRY([[maybe_unused]] void* const native, stream.native());  // its device becomes current
  library.version_ = static_cast<int64_t>(library.api_.version());
  if (const int status = library.api_.create(&library.handle_); status != lt::kSuccess) {
    return make_error(
        "--fast-nondeterministic: cuBLASLt {} does not start: {} ({}); leave the flag away to run "
        "on Forge's own kernels",
        library.version_text(), lt::status_name(status), status);
  }
  return library;
}

ProductLibrary::ProductLibrary(ProductLibrary&& other) noexcept
    : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)), version_(other.version_) {}

ProductLibrary& ProductLibrary::operator=(ProductLibrary&& other) noexcept {
  std::swap(api_, other.api_);
  std::swap(handle_, other.handle_);
  std::swap(version_, other.version_);
  return *this;
}

ProductLibrary::~ProductLibrary() {
  if (handle_ != nullptr) (void)api_.destroy(handle_);
}

std::string ProductLibrary::version_text() const {
  return fmt::format("{}.{}.{}", version_ / 10000, version_ / 100 % 100, version_ % 100);
}

Result<std::vector<lt::Algorithm>> ProductLibrary::candidates(const ProductShape& shape) const {
  constexpr int kNotSupported = 15;
  lt::Candidate found[kMostCandidates] = {};
  int n_found = 0;
  const int status = Description(api_, shape).candidates(handle_, found, &n_found);
  if (status != lt::kSuccess) return refused(shape, status);
  std::vector<lt::Algorithm> algorithms;
  for (int i = 0; i < n_found && i < kMostCandidates; ++i) {
    if (found[i].status == lt::kSuccess) algorithms.push_back(found[i].algorithm);
  }
  if (algorithms.empty()) return refused(shape, kNotSupported);
  return algorithms;
}

bool ProductLibrary::runs(const ProductShape& shape, const lt::Algorithm& algorithm) const {
  lt::Candidate result = {};
  return Description(api_, shape).check(handle_, algorithm, &result) == lt::kSuccess &&
         result.workspace_bytes <= static_cast<size_t>(kLibraryWorkspaceBytes);
}

Status ProductLibrary::multiply(Stream& stream, const ProductShape& shape, const ProductData& data,
                                const lt::Algorithm& algorithm) const {
  FORGE_TRY(void* const native, stream.native());
  const int status = Description(api_, shape).multiply(handle_, data, algorithm, native);
  if (status != lt::kSuccess) return refused(shape, status);
  return {};
}

}  // namespace forge::models::cuda
