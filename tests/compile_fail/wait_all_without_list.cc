// FIRST: twinkle: WaitAll takes a list of lazies of one type: WaitAll({a, b})
#include <twinkle/twinkle.h>

auto all = twinkle::WaitAll(twinkle::Lazy<int>(), twinkle::Lazy<void>());
