#include "runtime/actor/registry.h"

#include <absl/strings/str_cat.h>

#include <map>
#include <set>
#include <string>
#include <utility>

#include "runtime/base/mutex.h"
#include "runtime/codec/codec.h"
#include "runtime/codec/stable_hash.h"

namespace twinkle {
namespace {

// Whether a class is in an unnamed namespace. Then another file may have another class of that name.
bool IsAnonymous(std::string_view name) { return name.find("anonymous") != std::string_view::npos; }

struct Tables {
  std::set<std::string_view> ambiguous;
  std::map<std::string_view, const internal::ClassInfo*> classes;
  std::map<std::pair<std::string_view, std::string_view>, const internal::ConstructorInfo*> constructors;
};

// The tables of classes. Static initialisers fill them, so they are made on first use; constant once main runs.
Tables& Known() {
  static Tables* tables = new Tables;
  return *tables;
}

}  // namespace

namespace internal {

bool RegisterClass(const ClassInfo* info) {
  const auto [known, is_new] = Known().classes.emplace(info->name, info);
  if (!is_new && known->second != info && IsAnonymous(info->name)) Known().ambiguous.insert(info->name);
  return is_new;
}
bool RegisterConstructor(std::string_view class_name, const ConstructorInfo* info) {
  return Known().constructors.emplace(std::pair(class_name, info->key), info).second;
}

}  // namespace internal

namespace actor {

const internal::ClassInfo* FindClass(std::string_view name) {
  const auto found = Known().classes.find(name);
  return found == Known().classes.end() ? nullptr : found->second;
}

const internal::ConstructorInfo* FindConstructor(std::string_view class_name, std::string_view key) {
  const auto found = Known().constructors.find({class_name, key});
  return found == Known().constructors.end() ? nullptr : found->second;
}

namespace {

uint64_t Compute(const internal::ClassInfo& info) {
  codec::StableHash hash;
  for (const internal::MethodInfo& method : info.methods) {
    hash.Add(method.name);
    for (const internal::ParameterInfo& parameter : method.parameters) {
      hash.Add(static_cast<uint64_t>(parameter.kind));
      if (parameter.type != nullptr) hash.Add(codec::Fingerprint(*parameter.type));
    }
    hash.Add(method.result == nullptr ? 0 : codec::Fingerprint(*method.result));
  }
  return hash.value();
}

struct Cache {
  base::Mutex mutex;
  std::map<const internal::ClassInfo*, uint64_t> fingerprints ABSL_GUARDED_BY(mutex);
};

}  // namespace

uint64_t Fingerprint(const internal::ClassInfo& info) {
  static Cache* cache = new Cache;
  base::MutexLock lock(&cache->mutex);
  const auto found = cache->fingerprints.find(&info);
  if (found != cache->fingerprints.end()) return found->second;
  return cache->fingerprints[&info] = Compute(info);
}

absl::Status CheckUnambiguous(absl::string_view name) {
  if (Known().ambiguous.count({name.data(), name.size()}) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("two remote classes of this program are named ", name,
                   ": worker processes find a class by its name, so give one another name, or a namespace with one"));
}

absl::Status CheckClass(const internal::ClassInfo* mine, absl::string_view name, uint64_t fingerprint) {
  if (mine == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("this program has no remote class ", name));
  }
  if (absl::Status ambiguous = CheckUnambiguous(name); !ambiguous.ok()) return ambiguous;
  if (Fingerprint(*mine) == fingerprint) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the remote class ", name, " has other methods or values in the program that made the component"));
}

}  // namespace actor
}  // namespace twinkle
