/** What words look for: texts in a row, whatever their case. */

/** The texts that must follow each other, folded. */
export function segments(text: string, isPattern: boolean): string[] {
  return (isPattern ? text.split("*") : [text]).map(fold).filter(Boolean);
}

/** Python's `casefold`, but for the dotless i, which becomes an i here. */
export function fold(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
}
