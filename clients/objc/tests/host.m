// A program that uses the client as its test asks: host SCENARIO URL KEY DIRECTORY [MORE]. What it says,
// one "name=value" a line, the test reads. Without ARC, as gcc compiles it.

#import <ErrorStack/ErrorStack.h>
#include <time.h>

static NSString *arguments(NSUInteger index) {
    NSArray *all = [[NSProcessInfo processInfo] arguments];
    return index < [all count] ? [all objectAtIndex:index] : nil;
}

static void say(NSString *name, id value) {
    printf("%s=%s\n", [name UTF8String], [[value description] UTF8String]);
    fflush(stdout);
}

static void sayYes(NSString *name, BOOL value) {
    say(name, value ? @"yes" : @"no");
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static ErrorStackSettings *settings(void) {
    ErrorStackSettings *made = [[[ErrorStackSettings alloc] init] autorelease];
    made.endpoint = arguments(2);
    made.key = arguments(3);
    made.directory = arguments(4);
    return made;
}

static NSDictionary *one(NSString *name, id value) {
    return [NSDictionary dictionaryWithObject:value forKey:name];
}

static BOOL submit(NSString *message) {
    return [[ErrorStackClient shared] submit:one(@"Msg", message)];
}

static void finish(void) {
    double began = now();
    sayYes(@"flushed", [[ErrorStackClient shared] flush:20]);
    say(@"seconds", [NSNumber numberWithDouble:now() - began]);
    if ([[ErrorStackClient shared] lastProblem]) {
        say(@"problem", [[ErrorStackClient shared] lastProblem]);
    }
}

static void fall(int depth) {
    if (depth > 0) {
        fall(depth - 1);
        return;
    }
    [[NSArray array] objectAtIndex:7];
}

static NSException *caught(void) {
    @try {
        fall(2);
    } @catch (NSException *exception) {
        return exception;
    }
    return nil;
}

static void fields(void) {
    ErrorStackSettings *chosen = settings();
    chosen.releaseName = @"2.4.1";
    chosen.environment = @"test";
    chosen.fields = [NSDictionary dictionaryWithObjectsAndKeys:arguments(5), @"shop", @"lost", @"order", nil];
    [ErrorStackClient startWithSettings:chosen];
    NSDictionary *order = [NSDictionary dictionaryWithObjectsAndKeys:[NSNumber numberWithInt:1017], @"id",
        [NSArray arrayWithObjects:@"a", @"b", nil], @"items", one(@"name", @"Ann"), @"by",
        [NSNull null], @"paid", nil];
    sayYes(@"taken", [[ErrorStackClient shared] submit:[NSDictionary dictionaryWithObjectsAndKeys:
        [@"died " stringByAppendingString:arguments(5)], @"Msg", order, @"order", @"no", @"_s", nil]]);
    finish();
}

static void exception(void) {
    [ErrorStackClient startWithSettings:settings()];
    NSException *thrown = caught();
    sayYes(@"taken", [[ErrorStackClient shared] submitException:thrown fields:one(@"user", @"Ann")]);
    finish();
}

static void error(void) {
    [ErrorStackClient startWithSettings:settings()];
    NSError *failure = [NSError errorWithDomain:@"OrderDomain" code:7
        userInfo:[NSDictionary dictionaryWithObjectsAndKeys:@"no order", NSLocalizedDescriptionKey,
            @"1017", @"order", nil]];
    [[ErrorStackClient shared] submitError:failure fields:nil];
    finish();
}

static void logs(void) {
    [ErrorStackClient startWithSettings:settings()];
    [[ErrorStackClient shared] log:@"deploying 2.4.1"];
    [[ErrorStackClient shared] log:@"deploying 2.4.1"];
    submit(@"died");
    finish();
}

static void repeat(void) {
    ErrorStackSettings *chosen = settings();
    chosen.perMinute = 3;
    [ErrorStackClient startWithSettings:chosen];
    for (NSString *each in [NSArray arrayWithObjects:@"a", @"a", @"a", @"b", @"c", @"d", nil]) {
        sayYes(each, submit(each));
    }
    finish();
}

static NSDictionary *hook(NSDictionary *fields) {
    submit(@"from inside the hook");
    NSString *message = [fields objectForKey:@"Msg"];
    if ([message isEqualToString:@"fails"]) {
        [NSException raise:@"HookFailure" format:@"no"];
    }
    if ([message isEqualToString:@"private"]) {
        return nil;
    }
    NSMutableDictionary *kept = [NSMutableDictionary dictionaryWithDictionary:fields];
    [kept setObject:@"-" forKey:@"user"];
    return kept;
}

static void scrub(void) {
    ErrorStackSettings *chosen = settings();
    chosen.scrub = hook;
    [ErrorStackClient startWithSettings:chosen];
    for (NSString *each in [NSArray arrayWithObjects:@"private", @"fails", @"public", nil]) {
        [[ErrorStackClient shared] submit:[NSDictionary dictionaryWithObjectsAndKeys:each, @"Msg", @"Ann", @"user", nil]];
    }
    finish();
}

@interface Unprintable : NSObject
@end
@implementation Unprintable
- (NSString *)description {
    submit(@"from inside");
    [NSException raise:@"NoText" format:@"no text"];
    return nil;
}
@end

static void odd(void) {
    [ErrorStackClient startWithSettings:settings()];
    NSMutableArray *many = [NSMutableArray array];
    NSMutableDictionary *loop = [NSMutableDictionary dictionary];
    int index;
    for (index = 0; index < 1000; index++) {
        [many addObject:[NSNumber numberWithInt:index]];
    }
    [loop setObject:loop forKey:@"self"];
    NSString *longer = [@"" stringByPaddingToLength:40000 withString:@"x" startingAtIndex:0];
    NSString *name = [@"" stringByPaddingToLength:300 withString:@"n" startingAtIndex:0];
    sayYes(@"taken", [[ErrorStackClient shared] submit:[NSDictionary dictionaryWithObjectsAndKeys:@"odd", @"Msg",
        [[[Unprintable alloc] init] autorelease], @"odd", many, @"many", longer, @"long", @"1", name, nil]]);
    sayYes(@"nil", [[ErrorStackClient shared] submitException:nil fields:nil]);
    finish();
    [loop removeAllObjects];
}

static void off(void) {
    sayYes(@"before", submit(@"before the start"));
    [ErrorStackClient startWithSettings:settings()];
    sayYes(@"on", [ErrorStackClient shared] != nil);
    sayYes(@"taken", submit(@"nowhere") || [[ErrorStackClient shared] log:@"nowhere"]);
}

static void once(void) {
    ErrorStackSettings *chosen = settings();
    chosen.timeout = 1;
    [ErrorStackClient startWithSettings:chosen];
    submit(@"once");
    finish();
}

static void logOnce(void) {
    ErrorStackSettings *chosen = settings();
    chosen.timeout = 1;
    [ErrorStackClient startWithSettings:chosen];
    [[ErrorStackClient shared] log:@"once"];
    finish();
}

static void queue(void) {
    ErrorStackSettings *chosen = settings();
    int number;
    chosen.maxQueue = 3;
    [ErrorStackClient startWithSettings:chosen];
    for (number = 0; number < 8; number++) {
        submit([NSString stringWithFormat:@"%d", number]);
    }
    sayYes(@"flushed", [[ErrorStackClient shared] flush:0.5]);
}

static void tls(void) {
    [ErrorStackClient startWithSettings:settings()];
    submit(@"over https");
    sayYes(@"flushed", [[ErrorStackClient shared] flush:2]);
    say(@"problem", [[ErrorStackClient shared] lastProblem]);
}

static int compare(const void *a, const void *b) {
    double one = *(const double *)a, other = *(const double *)b;
    return (one > other) - (one < other);
}

/// Milliseconds that each of 50 errors with a log message cost the program, in two bursts.
static void felt(void) {
    double spent[50];
    int number;
    ErrorStackSettings *chosen = settings();
    chosen.maxQueue = 20;
    [ErrorStackClient startWithSettings:chosen];
    for (number = 0; number < 50; number++) {
        NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
        double began = now();
        [[ErrorStackClient shared] submitException:caught() fields:one(@"number", [NSNumber numberWithInt:number])];
        [[ErrorStackClient shared] log:[NSString stringWithFormat:@"number %d", number]];
        spent[number] = (now() - began) * 1000;
        if (number == 25) {
            [[ErrorStackClient shared] flush:0.2];
        }
        [pool drain];
    }
    double began = now();
    [[ErrorStackClient shared] flush:1];
    say(@"flush_s", [NSNumber numberWithDouble:now() - began]);
    qsort(spent, 50, sizeof(double), compare);
    say(@"median_ms", [NSNumber numberWithDouble:spent[25]]);
    say(@"max_ms", [NSNumber numberWithDouble:spent[49]]);
}

static void before(NSException *exception) {
    say(@"before", [exception name]);
}

static void uncaught(void) {
    NSSetUncaughtExceptionHandler(&before); // the program's own
    [ErrorStackClient startWithSettings:settings()];
    sayYes(@"started", YES);
    fall(2);
}

static void keepMany(void) {
    int number;
    ErrorStackSettings *chosen = settings();
    chosen.maxQueue = 3;
    chosen.endpoint = @"http://127.0.0.1:1";
    [ErrorStackClient startWithSettings:chosen];
    for (number = 0; number < 8; number++) {
        NSException *thrown = [NSException exceptionWithName:@"Kept" reason:[NSString stringWithFormat:@"%d", number] userInfo:nil];
        [[ErrorStackClient shared] performSelector:@selector(keepException:) withObject:thrown];
    }
}

static void launch(void) {
    [ErrorStackClient startWithSettings:settings()];
    finish();
}

int main(int argc, const char **argv) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    struct { const char *name; void (*run)(void); } scenarios[] = {
        {"fields", fields}, {"exception", exception}, {"error", error}, {"logs", logs}, {"repeat", repeat},
        {"scrub", scrub}, {"odd", odd}, {"off", off}, {"once", once}, {"log-once", logOnce},
        {"queue", queue}, {"felt", felt}, {"uncaught", uncaught}, {"keep-many", keepMany}, {"launch", launch},
        {"tls", tls},
    };
    NSUInteger index;
    for (index = 0; argc > 1 && index < sizeof scenarios / sizeof *scenarios; index++) {
        if (strcmp(argv[1], scenarios[index].name) == 0) {
            scenarios[index].run();
        }
    }
    [pool drain];
    return 0;
}
