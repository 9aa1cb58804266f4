/** One chunk for the dialogs. */

export { Help } from "./help";
export { MarkDialog } from "./mark-dialog";
export { ShareDialog } from "./share";
export { TrapsDialog } from "./traps";
