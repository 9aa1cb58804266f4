#import <Foundation/Foundation.h>

/// Names and texts in their order, of values of any kind, within bounds.
@interface ESForm : NSObject {
    NSMutableArray *_names, *_texts;
    NSMutableSet *_seen;
    NSUInteger _room;
}

/// Add fields; those whose name is there already are left out. Sorted by name, for dictionaries have
/// no order.
- (void)addFields:(NSDictionary *)fields;
- (void)add:(NSString *)name value:(id)value;
- (NSUInteger)sameness;

/// As a scrub hook sees it: a name with several texts has an array of them.
- (NSDictionary *)joined;

/// urlencoded UTF-8.
- (NSString *)encoded;

+ (NSString *)escape:(NSString *)text;

@end
