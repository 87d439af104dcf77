#include "tests/simt/cublaslt/standin.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "forge/base/float16.h"
#include "tests/simt/native_stream.h"

// Written from NVIDIA's manual, not from forge/kernels/cuda/cublaslt/api.h, so that one checks the
// other.
namespace {

enum Status { kSuccess = 0, kInvalid = 7, kUnsupported = 15 };
enum Type { kR32F = 0, kR16F = 2, kR16BF = 14 };
constexpr int kCompute32F = 68;
constexpr uint64_t kMark = 0x5AFEC0DE;
constexpr int kNumbers = 4;  // of candidates
constexpr size_t kNeeded = 4096;

struct Algo {
  uint64_t data[8];  // mark, version, number
};
struct HeuristicResult {
  Algo algo;
  size_t workspace_size;
  int state;
  float waves_count;
  int reserved[4];
};
struct Desc {
  int compute = 0;
  int scale = 0;
  int32_t transpose_a = 0;
};
struct Layout {
  int type = 0;
  uint64_t rows = 0;
  uint64_t cols = 0;
  int64_t ld = 0;
};
struct Preference {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};

std::mutex mutex;
std::map<std::string, int64_t> counts = {{"workspace", 1}};

void count(const char* what, int64_t n = 1) {
  const std::lock_guard lock(mutex);
  counts[what] += n;
}
int64_t setting(const std::string& name, int64_t otherwise) {
  const char* const text = std::getenv("CUBLASLT_STANDIN");
  const std::string all = text == nullptr ? "" : "," + std::string(text) + ",";
  const size_t at = all.find("," + name + "=");
  return at == std::string::npos ? otherwise : std::atoll(all.c_str() + at + name.size() + 2);
}
uint64_t version() { return static_cast<uint64_t>(setting("version", 130100)); }

template <typename T>
int make(void** to, T value) {
  *to = new T(value);
  count("live");
  return kSuccess;
}
template <typename T>
int drop(void* what) {
  delete static_cast<T*>(what);
  count("live", -1);
  return kSuccess;
}

float value_of(int type, const void* from, uint64_t at) {
  const uint16_t bits = static_cast<const uint16_t*>(from)[at];
  return type == kR16BF ? forge::bf16_to_f32(bits) : forge::f16_to_f32(bits);
}

/// A product with all that it needs: descriptors may be gone when it runs.
struct Product {
  Layout a, b, d;
  const void* from_a;
  const void* from_b;
  float* to;
  void* workspace;
  size_t workspace_bytes;
  int n_times;

  void run() const {
    std::memset(workspace, 0xAB, kNeeded);
    for (int time = 0; time < n_times; ++time) {
      for (uint64_t column = 0; column < d.cols; ++column) {
        for (uint64_t row = 0; row < d.rows; ++row) {
          double sum = 0.0;
          const uint64_t at_a = row * static_cast<uint64_t>(a.ld);
          const uint64_t at_b = column * static_cast<uint64_t>(b.ld);
          for (uint64_t k = 0; k < a.rows; ++k) {
            sum += static_cast<double>(value_of(a.type, from_a, at_a + k)) *
                   static_cast<double>(value_of(b.type, from_b, at_b + k));
          }
          to[column * static_cast<uint64_t>(d.ld) + row] = static_cast<float>(sum);
        }
      }
    }
  }
};

bool fits(const Desc& desc, const Layout& a, const Layout& b, const Layout& c, const Layout& d) {
  const bool is_half = (a.type == kR16BF || a.type == kR16F) && b.type == a.type;
  return desc.compute == kCompute32F && desc.scale == kR32F && desc.transpose_a == 1 && is_half &&
         c.type == kR32F && d.type == kR32F && a.rows == b.rows && a.cols == d.rows &&
         b.cols == d.cols && c.rows == d.rows && c.cols == d.cols && c.ld == d.ld &&
         a.ld >= static_cast<int64_t>(a.rows) && b.ld >= static_cast<int64_t>(b.rows) &&
         d.ld >= static_cast<int64_t>(d.rows);
}
bool is_mine(const Algo& algo) { return algo.data[0] == kMark && algo.data[1] == version(); }
bool is_aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

}  // namespace

extern "C" {

int64_t standin_count(const char* what) {
  const std::lock_guard lock(mutex);
  return counts[what];
}

size_t cublasLtGetVersion() { return version(); }
int cublasLtCreate(void** handle) {
  if (const int64_t status = setting("create", 0); status != 0) return static_cast<int>(status);
  return make(handle, 0);
}
int cublasLtDestroy(void* handle) { return drop<int>(handle); }
int cublasLtMatmulDescCreate(void** to, int compute, int scale) {
  return make(to, Desc{compute, scale});
}
int cublasLtMatmulDescDestroy(void* desc) { return drop<Desc>(desc); }
int cublasLtMatmulDescSetAttribute(void* desc, int attribute, const void* value, size_t size) {
  if (attribute != 3 || size != sizeof(int32_t)) return kInvalid;  // TRANSA
  std::memcpy(&static_cast<Desc*>(desc)->transpose_a, value, size);
  return kSuccess;
}
int cublasLtMatrixLayoutCreate(void** to, int type, uint64_t rows, uint64_t cols, int64_t ld) {
  return make(to, Layout{type, rows, cols, ld});
}
int cublasLtMatrixLayoutDestroy(void* layout) { return drop<Layout>(layout); }
int cublasLtMatmulPreferenceCreate(void** to) { return make(to, Preference{}); }
int cublasLtMatmulPreferenceDestroy(void* preference) { return drop<Preference>(preference); }
int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value,
                                         size_t size) {
  auto* to = static_cast<Preference*>(preference);
  if (attribute == 1 && size == sizeof(uint64_t)) {  // MAX_WORKSPACE_BYTES
    std::memcpy(&to->workspace, value, size);
    return kSuccess;
  }
  if (attribute >= 5 && attribute <= 8 && size == sizeof(uint32_t)) {  // MIN_ALIGNMENT_x_BYTES
    std::memcpy(&to->alignment[attribute - 5], value, size);
    return kSuccess;
  }
  return kInvalid;
}

int cublasLtMatmulAlgoGetHeuristic(void*, void* desc, void* a, void* b, void* c, void* d,
                                   void* preference, int wanted, void* results_out,
                                   int* n_results) {
  auto* const results = static_cast<HeuristicResult*>(results_out);
  count("heuristic");
  *n_results = 0;
  if (const int64_t status = setting("heuristic", 0); status != 0) return static_cast<int>(status);
  const auto& wishes = *static_cast<Preference*>(preference);
  if (wanted <= 0) return kInvalid;
  if (wishes.workspace < kNeeded ||
      !fits(*static_cast<Desc*>(desc), *static_cast<Layout*>(a), *static_cast<Layout*>(b),
            *static_cast<Layout*>(c), *static_cast<Layout*>(d))) {
    return kUnsupported;
  }
  for (int i = 0; i < wanted && i < kNumbers; ++i) {
    results[i] = {{{kMark, version(), static_cast<uint64_t>(i)}}, kNeeded, kSuccess, 1.0f, {}};
    ++*n_results;
  }
  return kSuccess;
}

int cublasLtMatmulAlgoCheck(void*, void* desc, void* a, void* b, void* c, void* d,
                            const void* algorithm, void* result_out) {
  const auto* const algo = static_cast<const Algo*>(algorithm);
  auto* const result = static_cast<HeuristicResult*>(result_out);
  count("check");
  if (const int64_t status = setting("check", 0); status != 0) return static_cast<int>(status);
  if (!is_mine(*algo) ||
      !fits(*static_cast<Desc*>(desc), *static_cast<Layout*>(a), *static_cast<Layout*>(b),
            *static_cast<Layout*>(c), *static_cast<Layout*>(d))) {
    return kInvalid;
  }
  result->workspace_size = kNeeded;
  result->state = kSuccess;
  return kSuccess;
}

int cublasLtMatmul(void*, void* desc, const void* alpha, const void* a, void* of_a, const void* b,
                   void* of_b, const void* beta, const void* c, void* of_c, void* d, void* of_d,
                   const void* algorithm, void* workspace, size_t workspace_bytes, void* stream) {
  const auto* const algo = static_cast<const Algo*>(algorithm);
  if (standin_count("multiply") >= setting("multiply_after", 0)) {
    if (const int64_t status = setting("multiply", 0); status != 0) return static_cast<int>(status);
  }
  const auto& layout_a = *static_cast<Layout*>(of_a);
  const auto& layout_d = *static_cast<Layout*>(of_d);
  const bool is_right =
      *static_cast<const float*>(alpha) == 1.0f && *static_cast<const float*>(beta) == 0.0f &&
      c == d && algo != nullptr && is_mine(*algo) && workspace_bytes >= kNeeded &&
      workspace != nullptr && reinterpret_cast<uintptr_t>(workspace) % 256 == 0 && is_aligned(a) &&
      is_aligned(b) && is_aligned(d) && layout_a.ld % 8 == 0 && layout_d.ld % 4 == 0 &&
      fits(*static_cast<Desc*>(desc), layout_a, *static_cast<Layout*>(of_b),
           *static_cast<Layout*>(of_c), layout_d);
  if (!is_right) return kInvalid;
  const auto number = static_cast<int64_t>(algo->data[2]);
  const Product product{layout_a,
                        *static_cast<Layout*>(of_b),
                        layout_d,
                        a,
                        b,
                        static_cast<float*>(d),
                        workspace,
                        workspace_bytes,
                        number == setting("best", number) ? 1 : 12};
  count("multiply");
  {
    const std::lock_guard lock(mutex);
    counts["candidate"] = number;
  }
  auto* const native = static_cast<forge::fake_cuda::NativeStream*>(stream);
  return native->add([product] { product.run(); }) ? kSuccess : 13;
}

}  // extern "C"
