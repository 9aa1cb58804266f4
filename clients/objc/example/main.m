// Sends one of each, then dies of an exception that the next run delivers: main ENDPOINT KEY [die]

#import <ErrorStack/ErrorStack.h>

int main(int argc, const char **argv) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    if (argc < 3) {
        return 2;
    }
    ErrorStackClient *client =
        [ErrorStackClient startWithKey:[NSString stringWithUTF8String:argv[2]]
                              endpoint:[NSString stringWithUTF8String:argv[1]]];
    [client log:@"starting"];
    @try {
        [[NSArray array] objectAtIndex:7];
    } @catch (NSException *exception) {
        [client submitException:exception fields:[NSDictionary dictionaryWithObject:@"1017" forKey:@"order"]];
    }
    BOOL isSent = [client flush:5];
    if (argc > 3) {
        [NSException raise:@"OrderException" format:@"nobody catches this"];
    }
    [pool drain];
    return isSent ? 0 : 1;
}
