#include "forge/engine/scheduler/fair_share.h"

#include <algorithm>

namespace forge::engine {

ClientAccount& FairShare::join(const std::string& client) {
  const auto [found, is_new] = accounts_.try_emplace(client);
  ClientAccount& account = found->second;
  if (is_new) account.client = client;
  if (++account.n_sequences > 1) return account;
  if (!is_new) idle_.remove(account);
  if (!active_.is_empty()) account.used = std::max(account.used, active_.top().used);
  active_.push(account);
  forget_caught_up();
  return account;
}

void FairShare::leave(ClientAccount& account) {
  if (--account.n_sequences > 0) return;
  active_.remove(account);
  idle_.push(account);
  forget_caught_up();
}

void FairShare::forget_caught_up() {
  while (!idle_.is_empty() && (active_.is_empty() || idle_.top().used <= active_.top().used)) {
    ClientAccount& account = idle_.top();
    idle_.remove(account);
    accounts_.erase(accounts_.find(account.client));
  }
}

}  // namespace forge::engine
