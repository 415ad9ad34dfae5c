// Remote<T>: a handle to a component, with the remote methods of T; New and Find, which give one.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <twinkle/answer.h>
#include <twinkle/internal/construct.h>
#include <twinkle/internal/remote_hooks.h>
#include <twinkle/internal/remote_method.h>
#include <twinkle/internal/runtime.h>
#include <twinkle/wait_limit.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace twinkle {

// The component behind a handle. Copies are cheap and refer to the same one; thread-safe.
class Component {
 public:
  // Blocks until the object is constructed on every rank: OK, the constructor's failure (which rank, why), or
  // DeadlineExceeded. What calls fail with once the object has been there and is no more: Aborted after Kill or a
  // rank's death, FailedPrecondition after Release.
  absl::Status WaitReady(WaitLimit limit, internal::CallSite site = internal::CallSite::Here()) const {
    return component_ == nullptr ? Empty() : internal::ComponentWaitReady(component_, limit.left(), site);
  }
  // Destroys its objects once the calls made so far have run. Later calls fail with FailedPrecondition.
  absl::Status Release(internal::CallSite site = internal::CallSite::Here()) const {
    return component_ == nullptr ? Empty() : internal::ComponentRelease(component_, site);
  }
  // Ends its group at once: calls under way and later ones, of all components there, fail with Aborted.
  void Kill(internal::CallSite site = internal::CallSite::Here()) const {
    if (component_ != nullptr) internal::ComponentKill(component_, site);
  }
  std::string name() const { return component_ == nullptr ? "" : internal::ComponentName(component_); }
  std::string group() const { return component_ == nullptr ? "" : internal::ComponentGroup(component_); }
  int world_size() const { return component_ == nullptr ? 0 : internal::ComponentWorldSize(component_); }

 private:
  template <class T>
  friend class Remote;
  explicit Component(internal::ComponentPtr component) : component_(std::move(component)) {}
  static absl::Status Empty() { return absl::FailedPreconditionError("an empty Remote: it refers to no component"); }

  internal::ComponentPtr component_;
};

// Rank(i) of a handle: the same methods on that rank alone. Arguments go whole, no collect rule is applied. A rank that
// does not exist gives lazies that hold InvalidArgument.
template <class T>
using RankOf = internal::RankMethodsOf<T>;

// Thread-safe and cheap to copy; may be passed to remote methods. An empty one (default constructed) gives lazies that
// hold FailedPrecondition. A component lives until Release or the session's end, whatever happens to its handles.
template <class T>
class Remote : public internal::MethodsOf<T> {
  using Base = internal::MethodsOf<T>;

 public:
  Remote() : Base(nullptr) {}
  Remote(const Remote&) = default;  // a move copies: method objects point to what the handle keeps alive
  Remote& operator=(const Remote&) = default;
  ~Remote() = default;

  RankOf<T> Rank(int rank) const { return RankOf<T>(this->twinkle_component(), rank); }
  Component component() const { return Component(this->twinkle_component()); }

 private:
  friend struct internal::RemoteAccess;
  explicit Remote(internal::ComponentPtr component) : Base(std::move(component)) {}
};

// Makes a component of class T: on the ranks of options.remote_group, or as an object of this process. Returns at once:
// the constructors run on the ranks (WaitReady tells), with these arguments, whole. InvalidArgument: unknown group,
// missing mesh. AlreadyExists: the name is in use. FailedPrecondition: no session.
template <class T, class... A>
Answer<Remote<T>> New(RemoteOptions&& options, A&&... arguments) {
  return internal::NewOf<T>(std::move(options), std::forward<A>(arguments)...);
}
template <class T, class... A>
Answer<Remote<T>> New(internal::NamedOptions options, A&&... arguments) {
  return internal::NewOf<T>(std::move(options.options), std::forward<A>(arguments)...);
}
// Taken only where what is given has no type.
template <class T>
Answer<Remote<T>> New(RemoteOptions&&, internal::InBraces, internal::InBraces = {}, internal::InBraces = {},
                      internal::InBraces = {}, internal::InBraces = {}, internal::InBraces = {}) {
  static_assert(sizeof(T) == 0,
                "twinkle: New: what stands in braces does not say what it is, and the constructor's parameters are not "
                "seen here: write the type before the braces");
  return absl::InternalError("");
}

// The component of that name, of this session or another program's. NotFound: unknown or released. FailedPrecondition:
// it is of another class.
template <class T>
Answer<Remote<T>> Find(const std::string& name) {
  absl::StatusOr<internal::ComponentPtr> found = internal::FindComponent(name, internal::ClassDescription<T>::Info());
  if (!found.ok()) return std::move(found).status();
  return internal::RemoteAccess::Make<T>(*std::move(found));
}

}  // namespace twinkle
