#import "ESForm.h"
#import "ESMemory.h"

enum {
    MaxFields = 200,
    MaxItems = 50, // of one list, or of one dictionary inside a field
    MaxDepth = 4,
    MaxNameChars = 200,
    MaxTextChars = 32768,
    MaxAllChars = 262144,
};

@interface ESForm ()
- (void)add:(NSString *)name value:(id)value depth:(NSUInteger)depth;
- (void)add:(NSString *)name text:(NSString *)text;
+ (BOOL)isReserved:(NSString *)name;
@end

@implementation ESForm

- (id)init {
    if ((self = [super init])) {
        _names = [[NSMutableArray alloc] init];
        _texts = [[NSMutableArray alloc] init];
        _seen = [[NSMutableSet alloc] init];
        _room = MaxAllChars;
    }
    return self;
}

- (void)dealloc {
    ES_RELEASE(_names);
    ES_RELEASE(_texts);
    ES_RELEASE(_seen);
    ES_DEALLOC_SUPER;
}

static NSArray *sortedNames(NSDictionary *fields) {
    return [[fields allKeys] sortedArrayUsingSelector:@selector(compare:)];
}

static NSString *text(id value) {
    NSString *whole = nil;
    @try {
        if ([value isKindOfClass:[NSNumber class]] && strcmp([value objCType], @encode(BOOL)) == 0) {
            whole = [value boolValue] ? @"true" : @"false";
        } else {
            whole = [value description];
        }
    } @catch (NSException *failure) {
        whole = [NSString stringWithFormat:@"<%@ that cannot be shown: %@>", [value class], [failure name]];
    }
    NSUInteger length = [whole length];
    if (length <= MaxTextChars) {
        return whole ? whole : @"";
    }
    // A trace's ends say most.
    return [NSString stringWithFormat:@"%@\n… %lu characters left out …\n%@",
        [whole substringToIndex:MaxTextChars / 2], (unsigned long)(length - MaxTextChars),
        [whole substringFromIndex:length - MaxTextChars / 2]];
}

- (void)addFields:(NSDictionary *)fields {
    NSSet *before = [NSSet setWithSet:_seen];
    for (id name in sortedNames(fields)) {
        if (![before containsObject:[name description]]) {
            [self add:[name description] value:[fields objectForKey:name] depth:0];
        }
    }
}

- (void)add:(NSString *)name value:(id)value {
    [self add:name value:value depth:0];
}

- (void)add:(NSString *)name value:(id)value depth:(NSUInteger)depth {
    if (!value || value == [NSNull null]) {
        return;
    }
    if ([name length] > MaxNameChars) {
        name = [name substringToIndex:MaxNameChars];
    }
    NSUInteger count = 0;
    if ([value isKindOfClass:[NSDictionary class]] && depth < MaxDepth) {
        for (id inner in sortedNames(value)) {
            if (count++ < MaxItems) {
                [self add:[NSString stringWithFormat:@"%@.%@", name, inner]
                    value:[value objectForKey:inner]
                    depth:depth + 1];
            }
        }
    } else if ([value isKindOfClass:[NSArray class]]) {
        for (id item in value) {
            if (count++ < MaxItems) {
                [self add:name text:text(item)];
            }
        }
    } else {
        [self add:name text:text(value)];
    }
}

- (void)add:(NSString *)name text:(NSString *)text {
    if ([_names count] >= MaxFields || [text length] > _room) {
        return;
    }
    _room -= [text length];
    [_names addObject:name];
    [_texts addObject:text];
    [_seen addObject:name];
}

- (NSUInteger)sameness {
    NSUInteger hash = 5381, index;
    for (index = 0; index < [_names count]; index++) {
        hash = (hash * 33) ^ [[_names objectAtIndex:index] hash];
        hash = (hash * 33) ^ [[_texts objectAtIndex:index] hash];
    }
    return hash;
}

- (NSDictionary *)joined {
    NSMutableDictionary *found = [NSMutableDictionary dictionary];
    NSUInteger index;
    for (index = 0; index < [_names count]; index++) {
        NSString *name = [_names objectAtIndex:index], *text = [_texts objectAtIndex:index];
        id before = [found objectForKey:name];
        if (!before) {
            [found setObject:text forKey:name];
        } else if ([before isKindOfClass:[NSArray class]]) {
            [found setObject:[before arrayByAddingObject:text] forKey:name];
        } else {
            [found setObject:[NSArray arrayWithObjects:before, text, nil] forKey:name];
        }
    }
    return found;
}

- (NSString *)encoded {
    NSMutableString *form = [NSMutableString string];
    NSUInteger index;
    for (index = 0; index < [_names count]; index++) {
        if (![[self class] isReserved:[_names objectAtIndex:index]]) {
            [form appendFormat:@"&%@=%@", [ESForm escape:[_names objectAtIndex:index]],
                [ESForm escape:[_texts objectAtIndex:index]]];
        }
    }
    return form;
}

/// Names that only this client gives.
+ (BOOL)isReserved:(NSString *)name {
    return [[NSArray arrayWithObjects:@"_s", @"_r", @"_id", @"_t", nil] containsObject:name];
}

+ (NSString *)escape:(NSString *)text {
    static const char hex[] = "0123456789ABCDEF";
    NSData *data = [text dataUsingEncoding:NSUTF8StringEncoding allowLossyConversion:YES];
    const unsigned char *bytes = [data bytes];
    NSUInteger length = [data length], index, used = 0;
    NSMutableData *made = [NSMutableData dataWithLength:length * 3];
    char *out = [made mutableBytes];
    for (index = 0; index < length; index++) {
        unsigned char each = bytes[index];
        if ((each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9')
            || each == '-' || each == '_' || each == '.') {
            out[used++] = (char)each;
        } else {
            out[used++] = '%';
            out[used++] = hex[each >> 4];
            out[used++] = hex[each & 15];
        }
    }
    return ES_AUTORELEASE([[NSString alloc] initWithBytes:out length:used encoding:NSASCIIStringEncoding]);
}

@end
