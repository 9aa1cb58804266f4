// One source for ARC, for manual reference counting, and for compilers that know neither ARC nor
// @autoreleasepool (gcc).

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if __has_feature(objc_arc)
#define ES_RETAIN(x) (x)
#define ES_RELEASE(x)
#define ES_AUTORELEASE(x) (x)
#define ES_DEALLOC_SUPER
#else
#define ES_RETAIN(x) [(x) retain]
#define ES_RELEASE(x) [(x) release]
#define ES_AUTORELEASE(x) [(x) autorelease]
#define ES_DEALLOC_SUPER [super dealloc]
#endif

#ifdef __clang__
#define ES_POOL @autoreleasepool {
#define ES_POOL_END }
#else
#define ES_POOL { NSAutoreleasePool *es_pool = [[NSAutoreleasePool alloc] init];
#define ES_POOL_END [es_pool drain]; }
#endif
