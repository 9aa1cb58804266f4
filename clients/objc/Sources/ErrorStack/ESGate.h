#import <Foundation/Foundation.h>

/// Counts what is not sent, by reason, until an error that is sent tells of it.
@interface ESLosses : NSObject {
    NSMutableDictionary *_counts;
}
- (void)add:(NSString *)reason count:(NSUInteger)count;

/// The counts by field, "dropped_queue" and so on, which are then told.
- (NSDictionary *)take;

/// What was taken and not told after all.
- (void)putBack:(NSDictionary *)counts;
@end

/// Lets so many messages in each minute, and the same error once in a while.
@interface ESGate : NSObject {
    NSUInteger _perMinute, _count;
    NSTimeInterval _dedupe, _minuteBegan;
    NSMutableDictionary *_seen;
    NSMutableArray *_order;
}
- (id)initWithPerMinute:(NSUInteger)perMinute dedupe:(NSTimeInterval)dedupe;

/// Why a message stays out, "repeat" or "limit"; nil when it may go in.
- (NSString *)refusalOf:(NSUInteger)sameness;
@end

/// Seconds that no change of the clock moves.
NSTimeInterval ESNow(void);
