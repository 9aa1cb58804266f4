// Sends exceptions, errors and log messages to an ErrorStack server; what ends the program is delivered
// at its next launch. Works with and without ARC, on Apple's platforms and on GNUstep.

#import <Foundation/Foundation.h>

#if defined(__clang__) && __has_feature(nullability)
#define ES_NULLABLE nullable
#define ES_MAYBE _Nullable
#define ES_BEGIN_NONNULL _Pragma("clang assume_nonnull begin")
#define ES_END_NONNULL _Pragma("clang assume_nonnull end")
#else
#define ES_NULLABLE
#define ES_MAYBE
#define ES_BEGIN_NONNULL
#define ES_END_NONNULL
#endif

ES_BEGIN_NONNULL

#ifdef __cplusplus
extern "C" {
#endif
/// Gets the fields, texts or arrays of texts, before they leave the process or reach its disk; returns
/// those to send, or nil to send nothing. When it raises, nothing is sent. Runs in any thread.
typedef NSDictionary *ES_MAYBE (*ES_MAYBE ErrorStackScrub)(NSDictionary *fields);
#ifdef __cplusplus
}
#endif

/// What a client is made of. Read once, when the client starts.
@interface ErrorStackSettings : NSObject {
@private
    NSString *_key, *_endpoint, *_release, *_environment, *_directory;
    NSDictionary *_fields;
    ErrorStackScrub _scrub;
    NSUInteger _maxQueue, _perMinute;
    NSTimeInterval _dedupe, _timeout;
}
@property(nonatomic, copy) NSString *key;
/// As https://errors.example.com; a path is kept.
@property(nonatomic, copy) NSString *endpoint;
/// The program's version; the bundle's own unless set.
@property(nonatomic, copy) NSString *releaseName;
@property(nonatomic, copy) NSString *environment;
/// More fields that go with every error; what a call says itself wins.
@property(nonatomic, copy) NSDictionary *fields;
@property(nonatomic, assign) ErrorStackScrub scrub;
/// Where errors wait on disk; a folder in the program's own caches unless set.
@property(nonatomic, copy) NSString *directory;
/// Messages that wait, in memory and on disk; a further one pushes out the oldest. 100.
@property(nonatomic, assign) NSUInteger maxQueue;
/// Errors let in within a minute, and as many log messages. 60.
@property(nonatomic, assign) NSUInteger perMinute;
/// The same error within so many seconds is counted, not sent. 10.
@property(nonatomic, assign) NSTimeInterval dedupe;
/// Seconds for a whole request; 3, which is also the most.
@property(nonatomic, assign) NSTimeInterval timeout;
@end

/// Sends to one stack, in the background. Nothing here raises, and only `flush:` waits.
@interface ErrorStackClient : NSObject {
@private
    NSDictionary *_always;
    ErrorStackScrub _scrub;
    id _errors, _logs, _losses, _queue;
}

/// Start the program's client: deliver what earlier launches left, and keep what nobody catches.
+ (ES_NULLABLE ErrorStackClient *)startWithKey:(NSString *)key endpoint:(NSString *)endpoint;
+ (ES_NULLABLE ErrorStackClient *)startWithSettings:(ErrorStackSettings *)settings;

/// The started client; nil before.
+ (ES_NULLABLE ErrorStackClient *)shared;

/// Send an error of these fields; NO when it will not be sent. Nested values become names with dots.
- (BOOL)submit:(NSDictionary *)fields;

/// Send an exception: its name, reason, call stack and user info, the platform and the program's version.
- (BOOL)submitException:(NSException *)exception;
- (BOOL)submitException:(NSException *)exception fields:(ES_NULLABLE NSDictionary *)fields;

/// Send an NSError: its domain, code, description and user info.
- (BOOL)submitError:(NSError *)error fields:(ES_NULLABLE NSDictionary *)fields;

/// Send a log message; the last ten are shown with the errors that follow.
- (BOOL)log:(NSString *)message;

/// Wait until everything is sent or given up; NO when that took longer. What waits stays on disk.
- (BOOL)flush:(NSTimeInterval)seconds;

/// What last went wrong, also if it went well since; nil when nothing did.
- (ES_NULLABLE NSString *)lastProblem;

@end

ES_END_NONNULL
