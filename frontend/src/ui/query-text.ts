export function wordsOf(_q: string): readonly string[] { return NONE; }
const NONE: readonly string[] = [];
export function check(_t: string): { message: string; at: number } | null { return null; }
export function pieces(t: string, _at: number | null): { kind: string; text: string }[] { return [{ kind: "", text: t }]; }
export function include(q: string, n: string, v: string): string { return `${q} ${n}:${v}`; }
export function exclude(q: string, n: string, v: string): string { return `${q} -${n}:${v}`; }
export function sense(_q: string, _n: string, _v: string): "in" | "out" | null { return null; }
