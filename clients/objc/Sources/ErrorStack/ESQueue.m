#import "ESQueue.h"
#import "ESExchange.h"
#import "ESForm.h"
#import "ESGate.h"
#import "ESMemory.h"

static const NSTimeInterval FirstPause = 0.5, MaxPause = 300;
static const NSTimeInterval MaxAge = 7 * 24 * 3600; // of what an earlier launch left
static NSString *const Suffix = @"form";

/// A message that waits: what is posted, where to, and its file when it has one.
@interface ESItem : NSObject {
@public
    NSString *path, *form, *file, *identifier;
    NSDictionary *counts;
}
@end

@implementation ESItem
- (void)dealloc {
    ES_RELEASE(path);
    ES_RELEASE(form);
    ES_RELEASE(file);
    ES_RELEASE(identifier);
    ES_RELEASE(counts);
    ES_DEALLOC_SUPER;
}
@end

@interface ESQueue ()
- (void)add:(ESItem *)item;
- (void)start;
- (ESItem *)next;
- (void)deliver:(ESItem *)item;
- (NSString *)form:(NSString *)form with:(NSDictionary *)counts;
- (BOOL)waitAfter:(ESItem *)item asked:(NSTimeInterval)asked;
- (void)tell:(NSString *)problem;
- (ESItem *)itemOf:(NSString *)form path:(NSString *)path;
- (void)write:(ESItem *)item;
- (void)remove:(ESItem *)item;
- (void)load;
- (void)trim;
@end

@implementation ESQueue

- (id)initWithKey:(NSString *)key
         endpoint:(NSString *)endpoint
        directory:(NSString *)directory
          timeout:(NSTimeInterval)timeout
         maxQueue:(NSUInteger)maxQueue
           losses:(ESLosses *)losses {
    if ((self = [super init])) {
        _key = [key copy];
        while ([endpoint hasSuffix:@"/"]) {
            endpoint = [endpoint substringToIndex:[endpoint length] - 1];
        }
        BOOL isWhole = [endpoint hasSuffix:@"/submit"];
        _prefix = [(isWhole ? [endpoint substringToIndex:[endpoint length] - 7] : endpoint) copy];
        _directory = [directory copy];
        _timeout = timeout;
        _maxQueue = MAX(maxQueue, (NSUInteger)1);
        _losses = ES_RETAIN(losses);
        _pause = FirstPause;
        _changed = [[NSCondition alloc] init];
        _waiting = [[NSMutableArray alloc] init];
        [self load];
        if ([_waiting count]) {
            [self start];
        }
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_key);
    ES_RELEASE(_prefix);
    ES_RELEASE(_directory);
    ES_RELEASE(_lastProblem);
    ES_RELEASE(_losses);
    ES_RELEASE(_changed);
    ES_RELEASE(_waiting);
    ES_DEALLOC_SUPER;
}

- (NSString *)lastProblem {
    @synchronized(self) {
        return ES_AUTORELEASE([_lastProblem copy]);
    }
    return nil;
}

- (void)put:(NSString *)form path:(NSString *)path {
    BOOL isLog = [path isEqualToString:@"/log"];
    NSDictionary *counts = isLog ? nil : [_losses take];
    ESItem *item = [self itemOf:[self form:form with:counts] path:path];
    item->counts = ES_RETAIN(counts);
    if (!isLog) {
        [self write:item]; // before anything else: the program may be killed at any time
    }
    [_changed lock];
    [self add:item];
    [self start];
    [_changed signal];
    [_changed unlock];
}

- (void)keep:(NSString *)form {
    ESItem *item = [self itemOf:form path:@"/submit"];
    [self write:item];
    [self trim];
}

- (BOOL)flush:(NSTimeInterval)seconds {
    NSDate *end = [NSDate dateWithTimeIntervalSinceNow:seconds];
    BOOL isOver = NO;
    [_changed lock];
    _isHurried = YES;
    [_changed broadcast];
    while ((_isSending || [_waiting count]) && !isOver) {
        isOver = ![_changed waitUntilDate:end];
    }
    isOver = !_isSending && ![_waiting count];
    [_changed unlock];
    return isOver;
}

/// Add at the end; the oldest goes when there are too many. With the lock held.
- (void)add:(ESItem *)item {
    if ([_waiting count] >= _maxQueue) {
        ESItem *oldest = [_waiting objectAtIndex:0];
        [self remove:oldest];
        [_losses putBack:oldest->counts];
        [_losses add:@"queue" count:1];
        [_waiting removeObjectAtIndex:0];
    }
    [_waiting addObject:item];
}

/// With the lock held, or before anybody else knows this queue.
- (void)start {
    if (!_isStarted) {
        _isStarted = YES;
        [NSThread detachNewThreadSelector:@selector(run) toTarget:self withObject:nil];
    }
}

- (void)run {
    while (YES) {
        ES_POOL
        ESItem *item = [self next];
        @try {
            [self deliver:item];
        } @catch (NSException *failure) { // as of a disk that is full; the thread must live
            [self tell:[failure reason]];
            [self remove:item];
        }
        ES_POOL_END
    }
}

- (ESItem *)next {
    [_changed lock];
    _isSending = NO;
    [_changed broadcast];
    while (![_waiting count]) {
        [_changed wait];
    }
    _isSending = YES;
    ESItem *item = ES_AUTORELEASE(ES_RETAIN([_waiting objectAtIndex:0]));
    [_waiting removeObjectAtIndex:0];
    [_changed unlock];
    return item;
}

- (void)deliver:(ESItem *)item {
    BOOL isLog = [item->path isEqualToString:@"/log"];
    NSString *whole = [NSString stringWithFormat:@"_s=%@&_r=json&_id=%@%@", [ESForm escape:_key],
        item->identifier, item->form];
    NSURL *address = [NSURL URLWithString:[_prefix stringByAppendingString:item->path]];
    NSData *body = [whole dataUsingEncoding:NSASCIIStringEncoding];
    ESFate fate;
    BOOL isWanted = YES;
    do {
        ES_POOL
        ESExchange *exchange = [[ESExchange alloc] init];
        fate = [exchange post:body to:address timeout:_timeout];
        if (fate != ESStored) {
            [self tell:[exchange problem]];
        }
        if (isLog && fate == ESUnknown) {
            fate = ESRefused; // a log message has no id that would keep a second copy out
        }
        if (fate == ESLater || fate == ESUnknown) {
            isWanted = [self waitAfter:item asked:[exchange retryAfter]];
        }
        ES_RELEASE(exchange);
        ES_POOL_END
    } while ((fate == ESLater || fate == ESUnknown) && isWanted);
    if (fate == ESRefused) {
        [_losses putBack:item->counts];
        [_losses add:@"refused" count:1];
    }
    if (fate == ESStored || fate == ESRefused) {
        _pause = FirstPause;
    }
    [self remove:item];
}

- (NSString *)form:(NSString *)form with:(NSDictionary *)counts {
    ESForm *more = ES_AUTORELEASE([[ESForm alloc] init]);
    [more addFields:counts];
    return [form stringByAppendingString:[more encoded]];
}

/// Wait for the time of the next attempt: as long as the server asks, else longer each time, and shorter
/// when somebody waits. NO when the queue has become full meanwhile: the oldest goes.
- (BOOL)waitAfter:(ESItem *)item asked:(NSTimeInterval)asked {
    NSDate *end = [NSDate dateWithTimeIntervalSinceNow:asked > 0 ? asked : _pause];
    _pause = MIN(_pause * 2, MaxPause);
    BOOL isOver = NO, isWanted = YES;
    [_changed lock];
    _isHurried = NO;
    while (!isOver && !(_isHurried && asked <= 0) && [_waiting count] < _maxQueue) {
        isOver = ![_changed waitUntilDate:end];
    }
    if ([_waiting count] >= _maxQueue) {
        isWanted = NO;
        [_losses putBack:item->counts];
        [_losses add:@"queue" count:1];
    }
    [_changed unlock];
    return isWanted;
}

- (void)tell:(NSString *)problem {
    @synchronized(self) {
        if (problem && ![problem isEqualToString:_lastProblem]) {
            ES_RELEASE(_lastProblem);
            _lastProblem = [problem copy];
            NSLog(@"ErrorStack: %@", problem);
        }
    }
}

- (ESItem *)itemOf:(NSString *)form path:(NSString *)path {
    ESItem *item = ES_AUTORELEASE([[ESItem alloc] init]);
    NSString *unique = [[NSProcessInfo processInfo] globallyUniqueString];
    item->path = [path copy];
    item->form = [form copy];
    @synchronized(self) {
        // Names sort by their time, and tell the id.
        item->identifier = [[NSString alloc] initWithFormat:@"%013.0f-%06lu-%lx",
            [[NSDate date] timeIntervalSince1970] * 1000, (unsigned long)_count++,
            (unsigned long)[unique hash]];
    }
    return item;
}

- (void)write:(ESItem *)item {
    NSFileManager *files = [NSFileManager defaultManager];
    [files createDirectoryAtPath:_directory withIntermediateDirectories:YES attributes:nil error:NULL];
    NSString *name = [item->identifier stringByAppendingPathExtension:Suffix];
    NSString *file = [_directory stringByAppendingPathComponent:name];
    NSData *data = [item->form dataUsingEncoding:NSASCIIStringEncoding];
    if ([data writeToFile:file atomically:YES]) {
        item->file = [file copy];
    }
}

- (void)remove:(ESItem *)item {
    if (item->file) {
        [[NSFileManager defaultManager] removeItemAtPath:item->file error:NULL];
    }
}

/// The names of what is on disk, oldest first.
- (NSArray *)names {
    NSMutableArray *found = [NSMutableArray array];
    for (NSString *name in [[NSFileManager defaultManager] contentsOfDirectoryAtPath:_directory error:NULL]) {
        if ([[name pathExtension] isEqualToString:Suffix]) {
            [found addObject:name];
        }
    }
    return [found sortedArrayUsingSelector:@selector(compare:)];
}

/// Queue what earlier launches left, unless it is too old or is no file of ours.
- (void)load {
    [self trim];
    NSTimeInterval now = [[NSDate date] timeIntervalSince1970];
    for (NSString *name in [self names]) {
        NSString *file = [_directory stringByAppendingPathComponent:name];
        NSData *data = [NSData dataWithContentsOfFile:file];
        NSString *form = ES_AUTORELEASE([[NSString alloc] initWithData:data encoding:NSASCIIStringEncoding]);
        if (![form hasPrefix:@"&"] || now - [name doubleValue] / 1000 > MaxAge) {
            [[NSFileManager defaultManager] removeItemAtPath:file error:NULL];
            continue;
        }
        ESItem *item = ES_AUTORELEASE([[ESItem alloc] init]);
        item->path = @"/submit";
        item->form = [form copy];
        item->file = [file copy];
        item->identifier = [[name stringByDeletingPathExtension] copy];
        [_waiting addObject:item];
    }
}

/// Keep no more on disk than may wait: the oldest go, and are told of.
- (void)trim {
    NSArray *names = [self names];
    NSUInteger index, count = [names count];
    for (index = 0; index + _maxQueue < count; index++) {
        NSString *file = [_directory stringByAppendingPathComponent:[names objectAtIndex:index]];
        [[NSFileManager defaultManager] removeItemAtPath:file error:NULL];
        [_losses add:@"queue" count:1];
    }
}

@end
