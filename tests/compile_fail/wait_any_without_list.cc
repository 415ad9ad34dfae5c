// FIRST: twinkle: WaitAny takes a list of lazies of one type: WaitAny({a, b})
#include <twinkle/twinkle.h>

auto first = twinkle::WaitAny(twinkle::Lazy<int>(), twinkle::Lazy<int>());
