// forge list: what models the cache holds.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>

#include "forge/base/format_bytes.h"
#include "forge/base/json.h"
#include "forge/cli/commands.h"
#include "forge/cli/report.h"
#include "forge/cli/stdout_stream.h"
#include "forge/cli/table.h"
#include "forge/hub/cached_repos.h"
#include "forge/hub/settings.h"

namespace forge::cli {
namespace {

std::string date(int64_t seconds) {
  if (seconds == 0) return "-";
  const std::time_t time = seconds;
  std::tm local{};
  ::localtime_r(&time, &local);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min);
}

std::string revision_text(const hub::CachedRevision& revision) {
  const std::string commit = revision.commit.substr(0, 7);
  if (revision.refs.empty()) return commit.empty() ? "-" : commit;
  return fmt::format("{} ({})", fmt::join(revision.refs, ", "), commit);
}

std::string format_text(const hub::CachedRevision& revision) {
  std::vector<std::string> parts = revision.formats;
  if (!revision.is_complete) parts.emplace_back("incomplete");
  if (revision.n_incomplete_bytes > 0) {
    parts.push_back(fmt::format("{} begun", format_bytes(revision.n_incomplete_bytes)));
  }
  return one_line(fmt::format("{}", fmt::join(parts, ", ")));
}

std::string as_table(const std::vector<hub::CachedRevision>& revisions) {
  Table table;
  table.row({"NAME", "REVISION", "SIZE", "USED", "FORMAT"});
  for (const hub::CachedRevision& revision : revisions) {
    table.row({one_line(revision.repo), revision_text(revision), format_bytes(revision.n_bytes),
               date(revision.used_at), format_text(revision)});
  }
  return table.text();
}

std::string as_json(const std::vector<hub::CachedRevision>& revisions) {
  json::Writer out;
  out.begin_array();
  for (const hub::CachedRevision& revision : revisions) {
    out.begin_object().member("name", revision.repo).member("commit", revision.commit);
    out.key("refs").begin_array();
    for (const std::string& ref : revision.refs) out.value(ref);
    out.end_array().key("formats").begin_array();
    for (const std::string& format : revision.formats) out.value(format);
    out.end_array().member("bytes", revision.n_bytes).member("files", revision.n_files);
    out.member("complete", revision.is_complete);
    out.member("incomplete_bytes", revision.n_incomplete_bytes);
    out.member("used", revision.used_at).end_object();
  }
  out.end_array();
  return out.text() + "\n";
}

}  // namespace

int run_list(const Arguments& arguments) {
  bool wants_json = false;
  CommandLine line("list", "Show the models in the cache of the Hugging Face Hub.",
                   "  forge list\n  forge list --json\n");
  line.app().add_flag("--json", wants_json, "Print one JSON array")->group("Report");
  if (const auto code = line.parse(arguments)) return *code;
  const Result<hub::Settings> settings = hub::settings_from_environment();
  if (!settings.ok()) return runtime_error(settings.error().message);
  const auto revisions = hub::list_cached(hub::Cache(settings->cache_folder));
  if (revisions.empty()) {
    note(fmt::format("no models in {}: forge pull org/name fetches one", settings->cache_folder));
  }
  StdoutStream out;
  if (wants_json) {
    out.write(as_json(revisions));
  } else if (!revisions.empty()) {
    out.write(as_table(revisions));
  }
  return out.close();
}

}  // namespace forge::cli
