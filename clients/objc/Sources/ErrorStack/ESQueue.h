#import <Foundation/Foundation.h>

@class ESLosses;

/// The bounded queue between the program's threads and the one that sends. Errors lie on disk until they
/// are stored or refused; log messages only in memory.
@interface ESQueue : NSObject {
    NSString *_key, *_prefix, *_directory, *_lastProblem;
    NSTimeInterval _timeout, _pause;
    NSUInteger _maxQueue, _count;
    ESLosses *_losses;
    NSCondition *_changed;
    NSMutableArray *_waiting;
    BOOL _isSending, _isHurried, _isStarted;
}

- (id)initWithKey:(NSString *)key
         endpoint:(NSString *)endpoint
        directory:(NSString *)directory
          timeout:(NSTimeInterval)timeout
         maxQueue:(NSUInteger)maxQueue
           losses:(ESLosses *)losses;

/// Queue a form without key and id. Never waits for the network.
- (void)put:(NSString *)form path:(NSString *)path;

/// Only write it to disk, at once, for the next launch: the program dies.
- (void)keep:(NSString *)form;

- (BOOL)flush:(NSTimeInterval)seconds;
- (NSString *)lastProblem;

@end
