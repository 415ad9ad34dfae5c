// A remote class and the types that its methods send may be in an unnamed namespace. No compiler warns about it.
#include <twinkle/twinkle.h>

#include <map>
#include <string>
#include <vector>

namespace {

struct Origin {
  std::string file;
  double weights[3];
};
struct Batch {
  std::vector<std::string> texts;
  std::map<std::string, int> counts;
  Origin origin;
};

class Policy {
 public:
  Batch Generate(const Batch&) { return {}; }
};
TWINKLE_REMOTE_CLASS(Policy, (twinkle::Execute::kAll), (Generate, twinkle::Dispatch::kAll))

}  // namespace

int main() {
  const auto policy = twinkle::New<Policy>({});
  return policy.ok() && policy->Generate(Batch{}).Get().ok() ? 0 : 1;
}
