/** One chunk for the dialogs. */

export { Company } from "./company";
export { Help } from "./help";
export { MarkDialog } from "./mark-dialog";
export { ShareDialog } from "./share";
export { TrapsDialog } from "./traps";
