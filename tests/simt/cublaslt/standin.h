// What tests ask of the stand-in for libcublasLt beside cuBLASLt's own functions.
//
// It refuses what NVIDIA's manual says the library refuses (wrong sizes of attributes, algorithms
// of another version, workspaces that are too small or not there) and multiplies with sums in
// double, on the queue that a fake cudaStream_t points to. The environment variable
// CUBLASLT_STANDIN, read at each call, makes it behave otherwise:
//
//   "create=3"     cublasLtCreate returns 3
//   "heuristic=15" cublasLtMatmulAlgoGetHeuristic returns 15
//   "multiply=13"  cublasLtMatmul returns 13; "multiply_after=N": after N that went well
//   "check=7"      cublasLtMatmulAlgoCheck returns 7
//   "version=N"    cublasLtGetVersion
//   "best=I"       of the candidates I is quick and the others are slow
#pragma once

#include <cstdint>

extern "C" {
/// Since the library was loaded: "multiply" (queued), "heuristic", "check", "candidate" (the number
/// in the algorithm of the last product), "live" (handles and descriptors that nobody has
/// destroyed), "workspace" (1 where all products had the workspace that they need).
int64_t standin_count(const char* what);
}
