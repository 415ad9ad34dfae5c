// Remote<T>: a handle to a component, with the remote methods of T; and New and Find, which return handles.
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

// The component behind a handle. Copies are cheap, and refer to the same component. Thread-safe.
class Component {
 public:
  // Blocks until the object is constructed on every rank. OK; the constructor's failure (which rank, and why);
  // DeadlineExceeded; or, once the objects are gone, what calls fail with: Aborted after Kill or the death of a rank,
  // FailedPrecondition after Release.
  absl::Status WaitReady(WaitLimit limit, internal::CallSite site = internal::CallSite::Here()) const {
    return component_ == nullptr ? Empty() : internal::ComponentWaitReady(component_, limit.left(), site);
  }
  // Destroys the component's objects once the calls made so far have run. Later calls fail with FailedPrecondition.
  absl::Status Release(internal::CallSite site = internal::CallSite::Here()) const {
    return component_ == nullptr ? Empty() : internal::ComponentRelease(component_, site);
  }
  // Ends the component's group at once. Calls under way and later ones fail with Aborted, for all components of the
  // group.
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

// Rank(i) of a handle: the same methods on that rank only. Arguments go whole, and no collect rule is applied. For a
// rank that does not exist the lazies hold InvalidArgument.
template <class T>
using RankOf = internal::RankMethodsOf<T>;

// Thread-safe and cheap to copy; may be passed to remote methods. An empty one (default constructed) gives lazies that
// hold FailedPrecondition. A component lives until Release or the session's end, whatever happens to its handles.
template <class T>
class Remote : public internal::MethodsOf<T> {
  using Base = internal::MethodsOf<T>;

 public:
  Remote() : Base(nullptr) {}
  Remote(const Remote&) = default;  // a move copies, too: method objects point to what the handle keeps alive
  Remote& operator=(const Remote&) = default;
  ~Remote() = default;

  RankOf<T> Rank(int rank) const { return RankOf<T>(this->twinkle_component(), rank); }
  Component component() const { return Component(this->twinkle_component()); }

 private:
  friend struct internal::RemoteAccess;
  explicit Remote(internal::ComponentPtr component) : Base(std::move(component)) {}
};

// Makes a component of class T: on the ranks of options.remote_group, or as an object of this process. Returns at once;
// the constructors run on the ranks with these arguments, which go whole (WaitReady reports their success).
// InvalidArgument: unknown group, or no mesh. AlreadyExists: the name is in use. FailedPrecondition: there is no
// session.
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

// The component of that name, which may be another program's. NotFound: there is none, or it was released.
// FailedPrecondition: it is of another class.
template <class T>
Answer<Remote<T>> Find(const std::string& name) {
  absl::StatusOr<internal::ComponentPtr> found = internal::FindComponent(name, internal::ClassDescription<T>::Info());
  if (!found.ok()) return std::move(found).status();
  return internal::RemoteAccess::Make<T>(*std::move(found));
}

}  // namespace twinkle
