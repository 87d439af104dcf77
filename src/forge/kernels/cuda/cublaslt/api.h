// The part of cuBLASLt's C interface that Forge calls, opened at run time: the library is 540 MB
// and on few machines, so nothing is linked against it and its headers are not needed.
//
// Types and numbers are those of cublasLt.h, cublas_api.h and library_types.h, alike in CUDA 12 and
// 13 (NVIDIA's "cuBLAS Library" manual, chapter "Using the cuBLASLt API"). Includes nothing of
// Forge: bench/cuda shares it.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>

namespace forge::kernels::cuda::cublaslt {

enum DataType : int { kF32 = 0, kF16 = 2, kBf16 = 14 };  // cudaDataType_t
inline constexpr int kComputeF32 = 68;                   // CUBLAS_COMPUTE_32F
inline constexpr int32_t kTranspose = 1;                 // CUBLAS_OP_T
inline constexpr int kTransposeA = 3;                    // CUBLASLT_MATMUL_DESC_TRANSA, int32_t
// CUBLASLT_MATMUL_PREF_...; MAX_WORKSPACE_BYTES is a uint64_t, 0 where it is not set.
// MIN_ALIGNMENT_A_BYTES and the three after it (B, C, D) are uint32_t, 256 where they are not set.
inline constexpr int kMaxWorkspaceBytes = 1;
inline constexpr int kMinAlignmentA = 5;

/// cublasStatus_t.
inline constexpr int kSuccess = 0;
inline const char* status_name(int status) {
  switch (status) {
    case 1:
      return "not initialised";
    case 3:
      return "no memory";
    case 7:
      return "invalid value";
    case 8:
      return "not for this device";
    case 13:
      return "execution failed";
    case 14:
      return "internal error";
    case 15:
      return "not supported";
    default:
      return "unknown status";
  }
}

/// cublasLtMatmulAlgo_t: may be kept and used again with the same version of the library.
struct Algorithm {
  uint64_t data[8];
};
/// cublasLtMatmulHeuristicResult_t.
struct Candidate {
  Algorithm algorithm;
  size_t workspace_bytes;
  int status;
  float waves;
  int reserved[4];
};
static_assert(sizeof(Algorithm) == 64 && sizeof(Candidate) == 96);

/// Handles and descriptors are pointers to what only the library knows.
using Handle = void*;

/// The functions. Column-major: D = alpha op(A) B + beta C. Structures go as void*: the library's
/// own types are not these, which UBSan (-fsanitize=function) would say of a call.
struct Api {
  size_t (*version)() = nullptr;  // 130100 is 13.1.0
  int (*create)(Handle*) = nullptr;
  int (*destroy)(Handle) = nullptr;
  int (*describe)(Handle*, int compute, int scale) = nullptr;
  int (*set_description)(Handle, int attribute, const void*, size_t) = nullptr;
  int (*drop_description)(Handle) = nullptr;
  int (*lay_out)(Handle*, int type, uint64_t rows, uint64_t columns, int64_t leading) = nullptr;
  int (*drop_layout)(Handle) = nullptr;
  int (*prefer)(Handle*) = nullptr;
  int (*set_preference)(Handle, int attribute, const void*, size_t) = nullptr;
  int (*drop_preference)(Handle) = nullptr;
  /// handle, description, layouts of A, B, C, D, preference, room for results, results
  /// (Candidate), their number: the first is the one that the library thinks fastest.
  int (*candidates)(Handle, Handle, Handle, Handle, Handle, Handle, Handle, int, void*,
                    int*) = nullptr;
  /// handle, description, layouts of A, B, C, D, Algorithm, Candidate: whether it runs, and its
  /// workspace.
  int (*check)(Handle, Handle, Handle, Handle, Handle, Handle, const void*, void*) = nullptr;
  /// handle, description, alpha, A, B, beta, C, D with their layouts, Algorithm, workspace,
  /// cudaStream_t. Goes by the calling thread's current device.
  int (*multiply)(Handle, Handle, const void*, const void*, Handle, const void*, Handle,
                  const void*, const void*, Handle, void*, Handle, const void*, void*, size_t,
                  void*) = nullptr;

  /// "", or why it cannot be had. FORGE_CUBLASLT names a file to open instead of the usual ones.
  /// What is open stays open.
  [[nodiscard]] std::string open() {
    const char* const given = std::getenv("FORGE_CUBLASLT");
    std::string why;
    void* file = nullptr;
    const auto try_open = [&](const char* name) {
      if (file != nullptr) return;
      file = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (file == nullptr && why.empty()) why = dlerror();
    };
    if (given != nullptr && *given != '\0') {
      try_open(given);
    } else {
      for (const char* name : {"libcublasLt.so.13", "libcublasLt.so.12"}) try_open(name);
    }
    if (file == nullptr) return why;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(file, name));
      if (function == nullptr && why.empty()) why = std::string("it has no ") + name;
    };
    why.clear();
    find(version, "cublasLtGetVersion");
    find(create, "cublasLtCreate");
    find(destroy, "cublasLtDestroy");
    find(describe, "cublasLtMatmulDescCreate");
    find(set_description, "cublasLtMatmulDescSetAttribute");
    find(drop_description, "cublasLtMatmulDescDestroy");
    find(lay_out, "cublasLtMatrixLayoutCreate");
    find(drop_layout, "cublasLtMatrixLayoutDestroy");
    find(prefer, "cublasLtMatmulPreferenceCreate");
    find(set_preference, "cublasLtMatmulPreferenceSetAttribute");
    find(drop_preference, "cublasLtMatmulPreferenceDestroy");
    find(candidates, "cublasLtMatmulAlgoGetHeuristic");
    find(check, "cublasLtMatmulAlgoCheck");
    find(multiply, "cublasLtMatmul");
    return why;
  }
};

}  // namespace forge::kernels::cuda::cublaslt
