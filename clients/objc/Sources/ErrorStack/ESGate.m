#import "ESGate.h"
#import "ESMemory.h"
#include <time.h>

enum { MaxRemembered = 500 };

NSTimeInterval ESNow(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (NSTimeInterval)now.tv_sec + (NSTimeInterval)now.tv_nsec / 1e9;
}

@implementation ESLosses

- (id)init {
    if ((self = [super init])) {
        _counts = [[NSMutableDictionary alloc] init];
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_counts);
    ES_DEALLOC_SUPER;
}

- (void)add:(NSString *)reason count:(NSUInteger)count {
    NSDictionary *more = [NSDictionary dictionaryWithObject:[NSNumber numberWithUnsignedInteger:count]
                                                     forKey:[@"dropped_" stringByAppendingString:reason]];
    [self putBack:more];
}

- (void)putBack:(NSDictionary *)counts {
    @synchronized(self) {
        for (NSString *name in counts) {
            NSUInteger count = [[_counts objectForKey:name] unsignedIntegerValue];
            count += [[counts objectForKey:name] unsignedIntegerValue];
            if (count) {
                [_counts setObject:[NSNumber numberWithUnsignedInteger:count] forKey:name];
            }
        }
    }
}

- (NSDictionary *)take {
    @synchronized(self) {
        NSDictionary *taken = [NSDictionary dictionaryWithDictionary:_counts];
        [_counts removeAllObjects];
        return taken;
    }
    return nil;
}

@end

@implementation ESGate

- (id)initWithPerMinute:(NSUInteger)perMinute dedupe:(NSTimeInterval)dedupe {
    if ((self = [super init])) {
        _perMinute = perMinute;
        _dedupe = dedupe;
        _minuteBegan = -60;
        _seen = [[NSMutableDictionary alloc] init];
        _order = [[NSMutableArray alloc] init];
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_seen);
    ES_RELEASE(_order);
    ES_DEALLOC_SUPER;
}

- (NSString *)refusalOf:(NSUInteger)sameness {
    @synchronized(self) {
        NSTimeInterval now = ESNow();
        NSNumber *key = [NSNumber numberWithUnsignedInteger:sameness], *at = [_seen objectForKey:key];
        if (at && now - [at doubleValue] < _dedupe) {
            return @"repeat";
        }
        if (now - _minuteBegan >= 60) {
            _minuteBegan = now;
            _count = 0;
        }
        if (_count >= _perMinute) {
            return @"limit";
        }
        _count++;
        if (!at) {
            [_order addObject:key];
        }
        [_seen setObject:[NSNumber numberWithDouble:now] forKey:key];
        if ([_order count] > MaxRemembered) {
            [_seen removeObjectForKey:[_order objectAtIndex:0]];
            [_order removeObjectAtIndex:0];
        }
    }
    return nil;
}

@end
