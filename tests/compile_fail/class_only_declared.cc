// FIRST: twinkle: TWINKLE_REMOTE_CLASS stands behind the class's definition
#include <twinkle/twinkle.h>

class Later;
TWINKLE_REMOTE_CLASS(Later, (), (Nothing))
