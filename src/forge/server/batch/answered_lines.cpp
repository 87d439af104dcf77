#include "forge/server/batch/answered_lines.h"

#include <algorithm>
#include <optional>

#include "forge/server/batch/input_line.h"
#include "forge/server/batch/line_reader.h"

namespace forge::server::batch {
namespace {

bool is_before(const LineKey& a, const LineKey& b) { return a.number < b.number; }

}  // namespace

Result<AnsweredLines> AnsweredLines::read(const std::string& path) {
  FORGE_TRY(LineReader reader, LineReader::open(path, kKeyBytes));
  AnsweredLines answered;
  Line line;
  while (true) {
    FORGE_TRY(const bool is_there, reader.next(line));
    if (!is_there || (!line.has_line_end && is_torn(line.text))) break;
    const std::optional<LineKey> key = read_key(line.text);
    if (!key || !line.has_line_end) {
      return make_error(
          "{}: line {} is not a line of a batch's output: give another -o, or --overwrite to start "
          "anew",
          path, line.number);
    }
    answered.keys_.push_back(*key);
    answered.whole_bytes_ += line.length + 1;
  }
  std::vector<LineKey>& keys = answered.keys_;
  std::sort(keys.begin(), keys.end(), is_before);
  const auto is_same = [](const LineKey& a, const LineKey& b) { return a.number == b.number; };
  const auto twice = std::adjacent_find(keys.begin(), keys.end(), is_same);
  if (twice == keys.end()) return answered;
  return make_error("{}: line {} of the input is answered twice", path, twice->number);
}

const LineKey* AnsweredLines::find(int64_t number) const {
  const auto found =
      std::lower_bound(keys_.begin(), keys_.end(), LineKey{.number = number}, is_before);
  return found == keys_.end() || found->number != number ? nullptr : &*found;
}

Result<int64_t> AnsweredLines::count_input(const std::string& input_path,
                                           const std::string& output_path,
                                           size_t max_line_bytes) const {
  FORGE_TRY(LineReader reader, LineReader::open(input_path, max_line_bytes));
  int64_t n_requests = 0;
  int64_t n_found = 0;
  Line line;
  while (true) {
    FORGE_TRY(const bool is_there, reader.next(line));
    if (!is_there) break;
    if (!is_blank(line.text)) ++n_requests;
    const LineKey* answer = find(line.number);
    if (answer == nullptr) continue;
    ++n_found;
    if (answer->hash != key_of(line).hash) {
      return make_error(
          "{} answers another line {} than {} has: it belongs to another file, or the file was "
          "changed; give another -o, or --overwrite to start anew",
          output_path, line.number, input_path);
    }
  }
  if (n_found == size()) return n_requests;
  return make_error(
      "{} has {} answers to lines that {} does not have: it belongs to another file, or the file "
      "was cut; give another -o, or --overwrite to start anew",
      output_path, size() - n_found, input_path);
}

}  // namespace forge::server::batch
