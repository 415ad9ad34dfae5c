// Twinkle: remote classes on groups of processes. Everything a program needs.
#pragma once

#include <twinkle/answer.h>
#include <twinkle/array.h>
#include <twinkle/bytes.h>
#include <twinkle/codec.h>
#include <twinkle/context.h>
#include <twinkle/device_group.h>
#include <twinkle/device_mesh.h>
#include <twinkle/error_detail.h>
#include <twinkle/lazy.h>
#include <twinkle/options.h>
#include <twinkle/per_rank.h>
#include <twinkle/remote.h>
#include <twinkle/remote_class.h>
#include <twinkle/remote_options.h>
#include <twinkle/rules.h>
#include <twinkle/session.h>
#include <twinkle/tensor.h>
#include <twinkle/value.h>
#include <twinkle/wait_any.h>
#include <twinkle/wait_limit.h>
