#if __has_include(<ErrorStack/ErrorStack.h>)
#import <ErrorStack/ErrorStack.h>
#else // the files were added to a project as they are
#import "ErrorStack.h"
#endif
#import "ESForm.h"
#import "ESGate.h"
#import "ESMemory.h"
#import "ESQueue.h"
#include <sys/utsname.h>

#if defined(__APPLE__)
#include <TargetConditionals.h>
#endif

static ErrorStackClient *shared = nil;
static NSUncaughtExceptionHandler *handlerBefore = NULL;
static NSString *const InsideKey = @"ErrorStackInside";

@implementation ErrorStackSettings

@synthesize key = _key, endpoint = _endpoint, releaseName = _release, environment = _environment;
@synthesize directory = _directory, fields = _fields, scrub = _scrub, maxQueue = _maxQueue;
@synthesize perMinute = _perMinute, dedupe = _dedupe, timeout = _timeout;

- (id)init {
    if ((self = [super init])) {
        _maxQueue = 100;
        _perMinute = 60;
        _dedupe = 10;
        _timeout = 3;
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_key);
    ES_RELEASE(_endpoint);
    ES_RELEASE(_release);
    ES_RELEASE(_environment);
    ES_RELEASE(_directory);
    ES_RELEASE(_fields);
    ES_DEALLOC_SUPER;
}

@end

/// "iOS 17.1", or what the kernel calls itself.
static NSString *platform(void) {
#if defined(__APPLE__)
    NSString *version = [[NSProcessInfo processInfo] operatingSystemVersionString];
#if TARGET_OS_IPHONE
    return [@"iOS " stringByAppendingString:version];
#else
    return [@"macOS " stringByAppendingString:version];
#endif
#else
    struct utsname system;
    uname(&system);
    return [NSString stringWithFormat:@"%s %s", system.sysname, system.release];
#endif
}

/// The hardware's name, as "iPhone12,1" or "x86_64".
static NSString *device(void) {
    struct utsname system;
    uname(&system);
    return [NSString stringWithUTF8String:system.machine];
}

/// The bundle's version, as "2.4.1 (17)"; nil when it has none.
static NSString *softwareVersion(void) {
    NSDictionary *about = [[NSBundle mainBundle] infoDictionary];
    NSString *version = [about objectForKey:@"CFBundleShortVersionString"];
    NSString *build = [about objectForKey:@"CFBundleVersion"];
    if (!version || !build) {
        return version ? version : build;
    }
    return [NSString stringWithFormat:@"%@ (%@)", version, build];
}

static NSString *now(void) {
    time_t seconds = time(NULL);
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return [NSString stringWithUTF8String:text];
}

@interface ErrorStackClient ()
- (id)initWithSettings:(ErrorStackSettings *)settings;
- (NSDictionary *)fieldsOf:(ErrorStackSettings *)settings;
- (NSString *)directoryOf:(ErrorStackSettings *)settings;
- (BOOL)offer:(id)what fields:(NSDictionary *)fields path:(NSString *)path;
- (void)keepException:(NSException *)exception;
- (ESForm *)formOf:(id)what and:(NSDictionary *)fields isLog:(BOOL)isLog;
- (ESForm *)scrubbed:(ESForm *)form;
- (NSArray *)stackOf:(NSException *)exception;
@end

/// Write what nobody caught to disk, then do what was done before.
static void handle(NSException *exception) {
    ES_POOL
    @try {
        [shared keepException:exception];
    } @catch (NSException *failure) {
    }
    ES_POOL_END
    if (handlerBefore) {
        handlerBefore(exception);
    }
}

@implementation ErrorStackClient

+ (ErrorStackClient *)shared {
    return shared;
}

+ (ErrorStackClient *)startWithKey:(NSString *)key endpoint:(NSString *)endpoint {
    ErrorStackSettings *settings = ES_AUTORELEASE([[ErrorStackSettings alloc] init]);
    settings.key = key;
    settings.endpoint = endpoint;
    return [self startWithSettings:settings];
}

+ (ErrorStackClient *)startWithSettings:(ErrorStackSettings *)settings {
    @synchronized(self) {
        if (!shared) {
            @try {
                shared = [[self alloc] initWithSettings:settings];
            } @catch (NSException *failure) {
                NSLog(@"ErrorStack: nothing will be sent: %@", [failure reason]);
            }
        }
        if (shared && NSGetUncaughtExceptionHandler() != &handle) {
            handlerBefore = NSGetUncaughtExceptionHandler();
            NSSetUncaughtExceptionHandler(&handle);
        }
    }
    return shared;
}

- (id)initWithSettings:(ErrorStackSettings *)settings {
    NSURL *address = [NSURL URLWithString:settings.endpoint ? settings.endpoint : @""];
    BOOL isWeb = [[address scheme] isEqualToString:@"http"] || [[address scheme] isEqualToString:@"https"];
    if (![settings.key length] || !isWeb || ![[address host] length]) {
        NSLog(@"ErrorStack: nothing will be sent: %@",
            isWeb ? @"there is no stack key" : @"the endpoint is no http or https address");
        ES_RELEASE(self);
        return nil;
    }
    if ((self = [super init])) {
        _losses = [[ESLosses alloc] init];
        _errors = [[ESGate alloc] initWithPerMinute:settings.perMinute dedupe:settings.dedupe];
        _logs = [[ESGate alloc] initWithPerMinute:settings.perMinute dedupe:0];
        _scrub = settings.scrub;
        _always = ES_RETAIN([self fieldsOf:settings]);
        _queue = [[ESQueue alloc] initWithKey:settings.key
                                     endpoint:settings.endpoint
                                    directory:[self directoryOf:settings]
                                      timeout:MIN(MAX(settings.timeout, 0.1), 3)
                                     maxQueue:settings.maxQueue
                                       losses:_losses];
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_always);
    ES_RELEASE(_errors);
    ES_RELEASE(_logs);
    ES_RELEASE(_losses);
    ES_RELEASE(_queue);
    ES_DEALLOC_SUPER;
}

- (NSDictionary *)fieldsOf:(ErrorStackSettings *)settings {
    NSString *version = softwareVersion(), *release = settings.releaseName ? settings.releaseName : version;
    NSMutableDictionary *found = [NSMutableDictionary dictionaryWithObjectsAndKeys:
        platform(), @"Platform", device(), @"Device", nil];
    if (version) {
        [found setObject:version forKey:@"SoftwareVersion"];
    }
    if (release) {
        [found setObject:release forKey:@"release"];
    }
    if (settings.environment) {
        [found setObject:settings.environment forKey:@"environment"];
    }
    [found addEntriesFromDictionary:settings.fields ? settings.fields : [NSDictionary dictionary]];
    return found;
}

/// A folder for each stack, so that an error never goes to another one than it was meant for.
- (NSString *)directoryOf:(ErrorStackSettings *)settings {
    NSString *parent = settings.directory;
    if (!parent) {
        NSArray *caches = NSSearchPathForDirectoriesInDomains(NSCachesDirectory, NSUserDomainMask, YES);
        NSString *program = [[NSBundle mainBundle] bundleIdentifier];
        program = program ? program : [[NSProcessInfo processInfo] processName];
        parent = [caches count] ? [caches objectAtIndex:0] : NSTemporaryDirectory();
        parent = [[parent stringByAppendingPathComponent:program] stringByAppendingPathComponent:@"ErrorStack"];
    }
    return [parent stringByAppendingPathComponent:[ESForm escape:settings.key]];
}

- (BOOL)submit:(NSDictionary *)fields {
    return [self offer:nil fields:fields path:@"/submit"];
}

- (BOOL)submitException:(NSException *)exception {
    return [self submitException:exception fields:nil];
}

- (BOOL)submitException:(NSException *)exception fields:(NSDictionary *)fields {
    return [self offer:exception fields:fields path:@"/submit"];
}

- (BOOL)submitError:(NSError *)error fields:(NSDictionary *)fields {
    return [self offer:error fields:fields path:@"/submit"];
}

- (BOOL)log:(NSString *)message {
    NSDictionary *fields = [NSDictionary dictionaryWithObject:message ? message : @"" forKey:@"_msg"];
    return [self offer:nil fields:fields path:@"/log"];
}

- (BOOL)flush:(NSTimeInterval)seconds {
    return [_queue flush:seconds];
}

- (NSString *)lastProblem {
    return [_queue lastProblem];
}

/// Let a message in, unless this thread is inside already: a value's description, or the hook, may
/// report something in turn.
- (BOOL)offer:(id)what fields:(NSDictionary *)fields path:(NSString *)path {
    NSMutableDictionary *thread = [[NSThread currentThread] threadDictionary];
    if ([thread objectForKey:InsideKey]) {
        return NO;
    }
    BOOL isTaken = NO;
    [thread setObject:InsideKey forKey:InsideKey];
    ES_POOL
    @try {
        BOOL isLog = [path isEqualToString:@"/log"];
        ESForm *form = [self formOf:what and:fields isLog:isLog];
        NSString *refusal = [(isLog ? _logs : _errors) refusalOf:[form sameness]];
        if (refusal) {
            [_losses add:refusal count:1];
        } else {
            if (!isLog) {
                [form add:@"occurred_at" value:now()];
            }
            ESForm *kept = [self scrubbed:form];
            if (kept) {
                [_queue put:[kept encoded] path:path];
                isTaken = YES;
            }
        }
    } @catch (NSException *failure) {
        [_losses add:@"unreadable" count:1];
    }
    ES_POOL_END
    [thread removeObjectForKey:InsideKey];
    return isTaken;
}

- (void)keepException:(NSException *)exception {
    NSDictionary *fields = [NSDictionary dictionaryWithObjectsAndKeys:@"fatal", @"level",
        @"uncaught", @"hook", now(), @"occurred_at", nil];
    [[[NSThread currentThread] threadDictionary] setObject:InsideKey forKey:InsideKey];
    ESForm *kept = [self scrubbed:[self formOf:exception and:fields isLog:NO]];
    if (kept) {
        [_queue keep:[kept encoded]];
    }
}

- (ESForm *)formOf:(id)what and:(NSDictionary *)fields isLog:(BOOL)isLog {
    ESForm *form = ES_AUTORELEASE([[ESForm alloc] init]);
    if ([what isKindOfClass:[NSException class]]) {
        [form add:@"Msg" value:[what reason]];
        [form add:@"name" value:[what name]];
        [form add:@"stack" value:[[self stackOf:what] componentsJoinedByString:@"\n"]];
        [form add:@"userInfo" value:[what userInfo]];
    } else if ([what isKindOfClass:[NSError class]]) {
        [form add:@"Msg" value:[what localizedDescription]];
        [form add:@"name" value:[what domain]];
        [form add:@"code" value:[NSNumber numberWithInteger:[what code]]];
        [form add:@"userInfo" value:[what userInfo]];
    }
    [form addFields:fields];
    if (!isLog) {
        [form addFields:_always];
    }
    return form;
}

/// Where the exception was raised; where it is reported, when it never was.
- (NSArray *)stackOf:(NSException *)exception {
    NSArray *symbols = [exception callStackSymbols];
    if ([symbols count]) {
        return symbols;
    }
    NSArray *addresses = [exception callStackReturnAddresses];
    return [addresses count] ? addresses : [NSThread callStackSymbols];
}

/// What the hook lets pass; nil when it wants nothing sent, or fails.
- (ESForm *)scrubbed:(ESForm *)form {
    if (!_scrub) {
        return form;
    }
    @try {
        NSDictionary *kept = _scrub([form joined]);
        if (!kept) {
            return nil;
        }
        ESForm *whole = ES_AUTORELEASE([[ESForm alloc] init]);
        [whole addFields:kept];
        return whole;
    } @catch (NSException *failure) {
        [_losses add:@"scrub" count:1];
        return nil;
    }
}

@end
