// LibraryProducts::prepare(): which products the library computes, and how.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>

#include "forge/kernels/cuda/matmul/matmul.h"
#include "forge/models/cuda/library/algorithm_file.h"
#include "forge/models/cuda/library/library_products.h"
#include "forge/models/cuda/library/product_slabs.h"

namespace forge::models::cuda {

using kernels::cuda::Event;
using kernels::cuda::MatmulTask;
using kernels::cuda::Stream;
namespace lt = kernels::cuda::cublaslt;

namespace {

/// The least of a few: what else runs on a device makes a time longer, never shorter.
constexpr int kRepeats = 3;

/// Of what `queue` queues, once it has been run before: the first run may load a kernel's code.
Result<int64_t> nanoseconds(Stream& stream, FunctionRef<Status()> queue) {
  FORGE_TRY(Event first, Event::create(stream.device(), Event::Kind::kTiming));
  FORGE_TRY(Event last, Event::create(stream.device(), Event::Kind::kTiming));
  FORGE_TRY_STATUS(queue());
  int64_t least = std::numeric_limits<int64_t>::max();
  for (int i = 0; i < kRepeats; ++i) {
    FORGE_TRY_STATUS(first.record(stream));
    FORGE_TRY_STATUS(queue());
    FORGE_TRY_STATUS(last.record(stream));
    FORGE_TRY_STATUS(last.wait());
    FORGE_TRY(const double seconds, Event::seconds_between(first, last));
    least = std::min(least, static_cast<int64_t>(seconds * 1e9));
  }
  return least;
}

}  // namespace

bool LibraryProducts::still_runs(const MatmulTask& task, const ProductChoice& choice) const {
  if (choice.slab_rows != slab_rows(task, setup_.max_tokens)) return false;
  const Slab whole{0, choice.slab_rows};
  const Slab last{0, task.weight.rows % choice.slab_rows};
  return !is_library(choice) ||
         (library_.runs(shape_of(task, whole), choice.algorithm) &&
          (last.n_rows == 0 || library_.runs(shape_of(task, last), choice.last_algorithm)));
}

/// Of the library's candidates. One that fails is no candidate.
Result<lt::Algorithm> LibraryProducts::quickest(Stream& stream, const MatmulTask& task, Slab slab) {
  FORGE_TRY(const std::vector<lt::Algorithm> candidates, library_.candidates(shape_of(task, slab)));
  FORGE_TRY_STATUS(unpack(stream, task, slab));
  Status why;
  const lt::Algorithm* best = nullptr;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const lt::Algorithm& candidate : candidates) {
    const Result<int64_t> time =
        nanoseconds(stream, [&] { return multiply(stream, task, slab, candidate); });
    if (!time.ok()) {
      why = time.error();
    } else if (*time < least) {
      least = *time;
      best = &candidate;
    }
  }
  if (best == nullptr) return why.error();
  return *best;
}

Result<ProductChoice> LibraryProducts::measure(Stream& stream, const MatmulTask& task) {
  ProductChoice choice{.slab_rows = slab_rows(task, setup_.max_tokens)};
  const Slab last{0, task.weight.rows % choice.slab_rows};
  FORGE_TRY(choice.algorithm, quickest(stream, task, {0, choice.slab_rows}));
  if (last.n_rows > 0) {
    const Slab at_the_end{task.weight.rows - last.n_rows, last.n_rows};
    FORGE_TRY(choice.last_algorithm, quickest(stream, task, at_the_end));
  }
  FORGE_TRY(choice.own_ns, nanoseconds(stream, [&] {
              return kernels::cuda::matmul(stream, setup_.device, task);
            }));
  const auto pass_on = [](Slab, const Status& refused) { return refused; };
  FORGE_TRY(choice.library_ns,
            nanoseconds(stream, [&] { return run(stream, task, choice, pass_on); }));
  return choice;
}

Status LibraryProducts::prepare(Stream& stream,
                                FunctionRef<std::vector<MatmulTask>(int32_t n_tokens)> products) {
  if (setup_.max_tokens < setup_.least_tokens) {
    note(fmt::format("cuBLASLt {} has nothing to do: steps have {} tokens at most, fewer than {}",
                     library_.version_text(), setup_.max_tokens, setup_.least_tokens));
    return {};
  }
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const AlgorithmFileKey key{setup_.device, library_.version()};
  const std::string path = algorithm_file_path(key);
  ProductTable known;
  if (!path.empty()) {
    Result<ProductTable> read = read_algorithm_file(path, key);
    if (read.ok()) {
      known = std::move(read).value();
    } else {
      note(fmt::format("{}; measured anew", read.error().message));
    }
  }
  int n_measured = 0;
  int n_left = 0;
  std::string refused;
  // Every size of steps, downwards: each is the largest below the one before.
  for (int32_t n = setup_.max_tokens; n >= setup_.least_tokens;) {
    for (const MatmulTask& task : products(n)) {
      const ProductKey product = key_of(task);
      if (task.n_tokens < setup_.least_tokens || table_.contains(product)) continue;
      const auto before = known.find(product);
      if (before != known.end() && still_runs(task, before->second)) {
        table_.insert(*before);
      } else if (!setup_.takes_all && seconds() > setup_.measuring_seconds) {
        ++n_left;
      } else {
        Result<ProductChoice> choice = measure(stream, task);
        // Whether it is the library or the device that failed, the device knows.
        FORGE_TRY_STATUS(stream.synchronize());
        if (!choice.ok()) {
          refused = choice.error().message;
          continue;
        }
        ++n_measured;
        table_.emplace(product, *choice);
        known.insert_or_assign(product, *choice);
      }
    }
    int32_t next = n - 1;
    while (next >= setup_.least_tokens &&
           library_bucket(next, setup_.max_tokens) == library_bucket(n, setup_.max_tokens)) {
      --next;
    }
    n = next;
  }
  const auto n_library =
      std::ranges::count_if(table_, [&](const auto& entry) { return is_library(entry.second); });
  std::string text =
      fmt::format("cuBLASLt {} computes {} of {} products of steps of {} tokens or more{}",
                  library_.version_text(), n_library, table_.size(), setup_.least_tokens,
                  setup_.takes_all ? "" : ": those it is quicker at");
  if (n_measured > 0) text += fmt::format("; {} measured in {:.2f} s", n_measured, seconds());
  if (n_left > 0) text += fmt::format("; {} left for the next start", n_left);
  note(text);
  if (!refused.empty()) note(refused + "; Forge's own kernels compute what it refuses");
  if (n_measured == 0) return {};
  if (path.empty()) {
    note("neither XDG_CACHE_HOME nor HOME is set: the next start measures again");
  } else if (const Status status = write_algorithm_file(path, key, known); !status.ok()) {
    note(fmt::format("{}; the next start measures again", status.error().message));
  }
  return {};
}

}  // namespace forge::models::cuda
