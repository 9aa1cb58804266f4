#import "ESExchange.h"
#import "ESMemory.h"

#if defined(__APPLE__)
#include <TargetConditionals.h>
#endif
#ifndef TARGET_OS_WATCH
#define TARGET_OS_WATCH 0
#endif

// NSURLSession came with iOS 7 and OS X 10.9; it speaks in blocks.
#if defined(__BLOCKS__) && (defined(__APPLE__) || defined(ES_HAS_SESSION))
#define ES_SESSION 1
#else
#define ES_SESSION 0
#endif
// NSURLConnection came before, and is all that GNUstep may have.
#define ES_CONNECTION (!TARGET_OS_WATCH)

enum { MaxAnswerBytes = 65536, MaxRetryAfterSeconds = 600 };

#if ES_SESSION
@interface ESExchange () <NSURLSessionDataDelegate>
- (void)sessionSend:(NSURLRequest *)request until:(NSDate *)end;
#else
@interface ESExchange ()
#endif
#if ES_CONNECTION
- (void)connectionSend:(NSURLRequest *)request until:(NSDate *)end;
#endif
- (void)take:(NSURLResponse *)response;
- (void)append:(NSData *)data;
- (void)end:(NSError *)error;
- (ESFate)read;
- (ESFate)understand;
@end

#ifdef __clang__
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif

@implementation ESExchange

- (id)init {
    if ((self = [super init])) {
        _changed = [[NSCondition alloc] init];
        _content = [[NSMutableData alloc] init];
        _fate = ESUnknown;
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_changed);
    ES_RELEASE(_content);
    ES_RELEASE(_problem);
    ES_RELEASE(_location);
    ES_DEALLOC_SUPER;
}

- (NSString *)problem {
    return _problem;
}

- (NSTimeInterval)retryAfter {
    return _retryAfter;
}

- (ESFate)post:(NSData *)body to:(NSURL *)address timeout:(NSTimeInterval)timeout {
    NSMutableURLRequest *request =
        [NSMutableURLRequest requestWithURL:address
                                cachePolicy:NSURLRequestReloadIgnoringLocalCacheData
                            timeoutInterval:timeout];
    [request setHTTPMethod:@"POST"];
    [request setHTTPBody:body];
    [request setHTTPShouldHandleCookies:NO];
    [request setValue:@"application/x-www-form-urlencoded; charset=utf-8" forHTTPHeaderField:@"Content-Type"];
    [request setValue:@"errorstack-client/objc" forHTTPHeaderField:@"User-Agent"];
#ifdef GNUSTEP
    // Apple's verify whom they speak to; GNUstep's does so when it is told.
    [NSURLProtocol setProperty:@"YES" forKey:@"GSTLSVerify" inRequest:request];
#endif
    NSDate *end = [NSDate dateWithTimeIntervalSinceNow:timeout];
#if ES_SESSION
    if (NSClassFromString(@"NSURLSession")) {
        [self sessionSend:request until:end];
        return [self read];
    }
#endif
#if ES_CONNECTION
    [self connectionSend:request until:end];
#endif
    return [self read];
}

#if ES_SESSION
- (void)sessionSend:(NSURLRequest *)request until:(NSDate *)end {
    NSURLSessionConfiguration *settings = [NSURLSessionConfiguration ephemeralSessionConfiguration];
    NSURLSession *session = [NSURLSession sessionWithConfiguration:settings delegate:self delegateQueue:nil];
    [[session dataTaskWithRequest:request] resume];
    [_changed lock];
    while (!_isDone && [_changed waitUntilDate:end]) {
    }
    [_changed unlock];
    [session invalidateAndCancel];
}

- (void)URLSession:(NSURLSession *)session
              dataTask:(NSURLSessionDataTask *)task
    didReceiveResponse:(NSURLResponse *)response
     completionHandler:(void (^)(NSURLSessionResponseDisposition))handler {
    [self take:response];
    handler(NSURLSessionResponseAllow);
}

- (void)URLSession:(NSURLSession *)session dataTask:(NSURLSessionDataTask *)task didReceiveData:(NSData *)data {
    [self append:data];
}

- (void)URLSession:(NSURLSession *)session
                          task:(NSURLSessionTask *)task
    willPerformHTTPRedirection:(NSHTTPURLResponse *)response
                    newRequest:(NSURLRequest *)request
             completionHandler:(void (^)(NSURLRequest *))handler {
    [self take:response];
    handler(nil);
}

- (void)URLSession:(NSURLSession *)session task:(NSURLSessionTask *)task didCompleteWithError:(NSError *)error {
    [self end:error];
}
#endif

#if ES_CONNECTION
- (void)connectionSend:(NSURLRequest *)request until:(NSDate *)end {
    NSURLConnection *connection = [[NSURLConnection alloc] initWithRequest:request delegate:self];
    while (!_isDone && [end timeIntervalSinceNow] > 0) {
        [[NSRunLoop currentRunLoop] runMode:NSDefaultRunLoopMode beforeDate:end];
    }
    [connection cancel];
    ES_RELEASE(connection);
}

- (NSURLRequest *)connection:(NSURLConnection *)connection
             willSendRequest:(NSURLRequest *)request
            redirectResponse:(NSURLResponse *)response {
    if (!response) {
        return request;
    }
    [self take:response];
    [self end:nil];
    [connection cancel];
    return nil;
}

- (void)connection:(NSURLConnection *)connection didReceiveResponse:(NSURLResponse *)response {
    [self take:response];
}

- (void)connection:(NSURLConnection *)connection didReceiveData:(NSData *)data {
    [self append:data];
}

- (void)connectionDidFinishLoading:(NSURLConnection *)connection {
    [self end:nil];
}

- (void)connection:(NSURLConnection *)connection didFailWithError:(NSError *)error {
    [self end:error];
}
#endif

- (void)take:(NSURLResponse *)response {
    if (![response isKindOfClass:[NSHTTPURLResponse class]] || _isDone) {
        return;
    }
    _status = [(NSHTTPURLResponse *)response statusCode];
    NSDictionary *headers = [(NSHTTPURLResponse *)response allHeaderFields];
    for (NSString *name in headers) {
        NSString *value = [headers objectForKey:name];
        if ([name caseInsensitiveCompare:@"Retry-After"] == NSOrderedSame) {
            _retryAfter = MAX(0, MIN([value doubleValue], MaxRetryAfterSeconds));
        } else if ([name caseInsensitiveCompare:@"Location"] == NSOrderedSame && !_location) {
            _location = [value copy];
        }
    }
}

- (void)append:(NSData *)data {
    if ([_content length] + [data length] <= MaxAnswerBytes) {
        [_content appendData:data];
    } else {
        [self end:nil];
    }
}

- (void)end:(NSError *)error {
    [_changed lock];
    if (!_isDone && error) {
        NSInteger code = [error code];
        BOOL isBefore = code == NSURLErrorCannotConnectToHost || code == NSURLErrorCannotFindHost
            || code == NSURLErrorNotConnectedToInternet || code == NSURLErrorDNSLookupFailed;
        _fate = isBefore ? ESLater : ESUnknown;
        _status = 0;
        _problem = [[error localizedDescription] copy];
    }
    _isDone = YES;
    [_changed signal];
    [_changed unlock];
}

/// Say what the answer means.
- (ESFate)read {
    if (_status == 0 || (!_isDone && _status < 300)) {
        _problem = _problem ? _problem : [@"no answer in time" copy];
        return _fate;
    }
    if (_status == 408 || _status == 425 || _status == 429 || _status >= 500) {
        _problem = [[NSString alloc] initWithFormat:@"the server answered %ld", (long)_status];
        return ESLater;
    }
    if (_status >= 300) {
        _problem = [[NSString alloc] initWithFormat:@"the server answered %ld%@%@", (long)_status,
            _location ? @" to " : @"", _location ? _location : @""];
        return ESRefused;
    }
    return [self understand];
}

- (ESFate)understand {
    id said = nil;
    @try {
        said = [NSJSONSerialization JSONObjectWithData:_content options:0 error:NULL];
    } @catch (NSException *failure) { // GNUstep's raises where Apple's returns nil
    }
    id success = [said isKindOfClass:[NSDictionary class]] ? [said objectForKey:@"success"] : nil;
    if (![success isKindOfClass:[NSNumber class]]) {
        _problem = [@"the answer is not an ErrorStack server's" copy];
        return ESUnknown;
    }
    if ([success boolValue]) {
        return ESStored;
    }
    _problem = [[[said objectForKey:@"errorMsg"] description] copy];
    return ESRefused;
}

@end
