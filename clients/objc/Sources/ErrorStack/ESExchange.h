#import <Foundation/Foundation.h>

/// What became of a message.
typedef enum {
    ESStored,
    ESRefused, // and would be again
    ESLater, // not taken now
    ESUnknown, // sent, but no answer that can be understood
} ESFate;

/// One request and its answer. Follows no redirect: it would carry the key elsewhere.
@interface ESExchange : NSObject {
    NSCondition *_changed;
    NSMutableData *_content;
    NSInteger _status;
    BOOL _isDone;
    ESFate _fate;
    NSString *_problem, *_location;
    NSTimeInterval _retryAfter;
}

/// Post a form and wait, in a thread of our own, `timeout` seconds at most.
- (ESFate)post:(NSData *)body to:(NSURL *)address timeout:(NSTimeInterval)timeout;
- (NSString *)problem;

/// The seconds that the server asks to wait; 0 when it does not.
- (NSTimeInterval)retryAfter;

@end
