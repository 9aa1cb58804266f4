/** One chunk for what opens beside the list and below buttons: together they pack better than apart. */

export { ColumnMenu } from "./column-menu";
export { Completion, suggestions, taken } from "./completion";
export { Facets } from "./facets";
export { PrefsMenu } from "./prefs-menu";
export { RangeMenu } from "./range-menu";
