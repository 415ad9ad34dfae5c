// TWINKLE_REMOTE_CLASS: declares a class remote.
//
//   TWINKLE_REMOTE_CLASS(Policy, (Execute::kAll),
//       (Generate, Dispatch::kSliceDp, Collect::kFlattenDp),
//       (Save, Dispatch::kAll, Execute::kFirst))
//
// In the namespace of the class, after its definition, once. The second argument holds the options of the class (may be
// empty), each further one a method and its options. The class itself knows nothing of it.
#pragma once

#include <twinkle/remote.h>

// Preprocessor: m(c, o, STRIPPED element) for each element (recursion by deferred expansion; up to 256 elements).
#define TWINKLE_PARENS_ ()
#define TWINKLE_EXPAND_(...) TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(TWINKLE_EXPAND4_(__VA_ARGS__))))
#define TWINKLE_EXPAND4_(...) TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(TWINKLE_EXPAND3_(__VA_ARGS__))))
#define TWINKLE_EXPAND3_(...) TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(TWINKLE_EXPAND2_(__VA_ARGS__))))
#define TWINKLE_EXPAND2_(...) TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(TWINKLE_EXPAND1_(__VA_ARGS__))))
#define TWINKLE_EXPAND1_(...) __VA_ARGS__
#define TWINKLE_EACH_(m, c, o, ...) __VA_OPT__(TWINKLE_EXPAND_(TWINKLE_EACH_STEP_(m, c, o, __VA_ARGS__)))
#define TWINKLE_EACH_STEP_(m, c, o, a, ...) \
  m(c, o, TWINKLE_STRIP_ a) __VA_OPT__(TWINKLE_EACH_AGAIN_ TWINKLE_PARENS_(m, c, o, __VA_ARGS__))
#define TWINKLE_EACH_AGAIN_() TWINKLE_EACH_STEP_
#define TWINKLE_STRIP_(...) __VA_ARGS__

#define TWINKLE_METHOD_TYPE_(c, o, name, ...)                                                \
  ::twinkle::internal::Method<c, ::twinkle::internal::ClassOptions<TWINKLE_STRIP_ o>, #name, \
                              &c::name __VA_OPT__(, ) __VA_ARGS__>

#define TWINKLE_MEMBER_(c, o, ...) TWINKLE_MEMBER2_(c, o, __VA_ARGS__)
#define TWINKLE_MEMBER2_(c, o, name, ...)                                                                    \
  static_assert(!::twinkle::internal::IsReservedName(#name),                                                 \
                "twinkle: a remote method cannot be named component or Rank: handles have members of these " \
                "names; give it a wrapper with another name");                                               \
  ::twinkle::internal::RemoteMethod<typename TwinkleList::template Named<#name>> name{this->twinkle_raw()};
#define TWINKLE_RANK_MEMBER_(c, o, ...) TWINKLE_RANK_MEMBER2_(c, o, __VA_ARGS__)
#define TWINKLE_RANK_MEMBER2_(c, o, name, ...)                                                           \
  ::twinkle::internal::RankMethod<typename TwinkleList::template Named<#name>> name{this->twinkle_raw(), \
                                                                                    this->twinkle_rank()};
#define TWINKLE_LIST_(c, o, ...) TWINKLE_LIST2_(c, o, __VA_ARGS__)
#define TWINKLE_LIST2_(c, o, name, ...) , TWINKLE_METHOD_TYPE_(c, o, name __VA_OPT__(, ) __VA_ARGS__)

// The methods' types are made outside the structs: inside, an option called as a method is (Collect) would name that.
#define TWINKLE_REMOTE_CLASS(c, options, ...)                                                                       \
  [[maybe_unused]] inline auto TwinkleMethodsHook(::twinkle::internal::Tag<c>) {                                    \
    return ::twinkle::internal::MethodList<::twinkle::internal::ClassOptions<TWINKLE_STRIP_ options> TWINKLE_EACH_( \
        TWINKLE_LIST_, c, options, __VA_ARGS__)>{};                                                                 \
  }                                                                                                                 \
  [[maybe_unused]] inline auto TwinkleRemoteHook(::twinkle::internal::Tag<c> tag) {                                 \
    using TwinkleList = decltype(TwinkleMethodsHook(tag));                                                          \
    struct Methods : ::twinkle::internal::RemoteBase {                                                              \
      using RemoteBase::RemoteBase;                                                                                 \
      TWINKLE_EACH_(TWINKLE_MEMBER_, c, options, __VA_ARGS__)                                                       \
    };                                                                                                              \
    return Methods(nullptr);                                                                                        \
  }                                                                                                                 \
  [[maybe_unused]] inline auto TwinkleRankHook(::twinkle::internal::Tag<c> tag) {                                   \
    using TwinkleList = decltype(TwinkleMethodsHook(tag));                                                          \
    struct Methods : ::twinkle::internal::RankBase {                                                                \
      using RankBase::RankBase;                                                                                     \
      TWINKLE_EACH_(TWINKLE_RANK_MEMBER_, c, options, __VA_ARGS__)                                                  \
    };                                                                                                              \
    return Methods(nullptr, 0);                                                                                     \
  }
