// Trusts: the exposition itself: what documents and dashboards name must be there, and all of it
// must be explained. The numbers are checked by metrics_interop.py.
#include "forge/server/metrics/server_metrics.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "forge/base/json.h"

namespace forge::server {
namespace {

using Names = std::set<std::string>;

std::string read(const std::string& path) {
  std::ifstream in(FORGE_SOURCE_DIR "/" + path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

Names matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Names names;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), regex);
       it != std::sregex_iterator(); ++it) {
    names.insert((*it)[1]);
  }
  return names;
}

Names families() { return matches(ServerMetrics().render({}, {}, {}), "# TYPE (\\w+) "); }

/// All texts of a JSON value and what is in it under this key.
void collect(json::Value value, std::string_view key, std::string& texts) {
  for (size_t i = 0; i < value.size(); ++i) {
    const json::Value child = value.is_object() ? value.member_at(i) : value.at(i);
    if (value.is_object() && value.key_at(i) == key && child.is_string()) {
      texts += std::string(*child.as_string()) + "\n";
    }
    collect(child, key, texts);
  }
}

TEST(ServerMetrics, EachIsExplainedAndNothingElseIs) {
  EXPECT_EQ(matches(read("docs/metrics.md"), "\\| `(forge_\\w+)"), families());
}

TEST(ServerMetrics, TheDashboardUsesAllButWhatGivesNoPicture) {
  const auto dashboard = json::Document::parse(read("docs/grafana/forge.json"), "forge.json");
  ASSERT_TRUE(dashboard.ok()) << dashboard.error().message;
  std::string queries;
  collect(dashboard->root(), "expr", queries);
  collect(dashboard->root(), "query", queries);
  Names used;
  for (const std::string& name : matches(queries, "(forge_\\w+)")) {
    used.insert(name.substr(0, name.rfind("_bucket")));
  }
  Names expected = families();
  expected.erase("forge_engine_requests_total");  // aborts and responses say it
  expected.erase("forge_engine_steps_total");
  expected.erase("forge_http_connections_total");
  EXPECT_EQ(used, expected);
}

TEST(ServerMetrics, QueriesOfTheDocumentNameWhatIsThere) {
  for (std::string name : matches(read("docs/metrics.md"), "(forge_\\w+)")) {
    name = name.substr(0, name.rfind("_bucket"));
    EXPECT_TRUE(families().contains(name)) << name;
  }
}

TEST(ServerMetrics, BlocksOfTheCacheAddUp) {
  EngineStats stats;
  stats.kv_blocks = 10;
  stats.kv_blocks_used = 3;
  stats.kv_blocks_cached = 5;
  const std::string text = ServerMetrics().render(stats, {}, {});
  for (const std::string line :
       {"forge_kv_cache_blocks{state=\"used\"} 3\n", "forge_kv_cache_blocks{state=\"cached\"} 5\n",
        "forge_kv_cache_blocks{state=\"free\"} 2\n", "forge_kv_cache_usage_ratio 0.3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
  EXPECT_NE(ServerMetrics().render({}, {}, {}).find("forge_kv_cache_usage_ratio 0\n"),
            std::string::npos);
}

}  // namespace
}  // namespace forge::server
