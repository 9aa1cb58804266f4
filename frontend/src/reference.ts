/** The API page: sends its own samples and shows the answer, opens what an address names. */

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-run][data-ready]")) {
  button.hidden = false;
  button.addEventListener("click", () => void run(button));
}

/** Send a sample as its line would, and show what the server says. */
async function run(button: HTMLButtonElement): Promise<void> {
  const output = button.parentElement!.querySelector("output")!;
  const { run: path, body, type } = button.dataset;
  button.disabled = true;
  try {
    const began = performance.now();
    const headers = { "Content-Type": type! };
    const answer = await fetch(path!, body ? { method: "POST", headers, body } : {});
    const ms = performance.now() - began;
    const text = await said(answer);
    show(output, `${answer.status}`, text, ms, answer.ok && !answer.headers.get("x-errorstack-error"));
    see(output, text);
  } catch (error) {
    show(output, "No answer", String(error), 0, false);
  }
  button.disabled = false;
}

async function said(answer: Response): Promise<string> {
  const kind = answer.headers.get("content-type") ?? "";
  if (kind.startsWith("image/")) {
    const reason = answer.headers.get("x-errorstack-error");
    return `${kind}, ${(await answer.blob()).size} bytes${reason ? `\nX-ErrorStack-Error: ${reason}` : ""}`;
  }
  return pretty(await answer.text());
}

/** JSON with room to breathe, anything else as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 1).replace(/\n */g, " ");
  } catch {
    return text;
  }
}

function show(output: Element, status: string, text: string, ms: number, isGood: boolean): void {
  const head = document.createElement("b");
  head.textContent = status;
  output.classList.toggle("bad", !isGood);
  output.replaceChildren(head, ms ? ` in ${Math.max(1, Math.round(ms))} ms  ` : "  ", text);
}

/** A link to the error that was just stored. */
function see(output: Element, text: string): void {
  const id = /"ids?": \[? ?"([0-9a-f]{24})"/.exec(text)?.[1];
  const { page } = document.querySelector<HTMLElement>("[data-page]")?.dataset ?? {};
  if (!id || !page || !output.parentElement!.querySelector('[data-run*="/submit"]')) return;
  const link = document.createElement("a");
  link.href = `${page}/e/${id}`;
  link.textContent = "See it";
  output.append(link);
}

/** #client-python: show the choice that holds it. */
function open(): void {
  const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  const pane = target?.closest(".pane");
  if (!target || !pane) return;
  const panes = [...pane.parentElement!.querySelectorAll(":scope > .pane")];
  const inputs = pane.parentElement!.querySelectorAll<HTMLInputElement>(":scope > .choice input");
  inputs[panes.indexOf(pane)]!.checked = true;
  target.scrollIntoView();
}

/** Mark the section that is being read in the list of all. */
function follow(): void {
  const links = new Map<Element, HTMLAnchorElement>();
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".toc a")) {
    const section = document.getElementById(link.hash.slice(1))?.closest("section");
    if (section) links.set(section, link);
  }
  const observer = new IntersectionObserver(
    (entries) => {
      const seen = entries.find((entry) => entry.isIntersecting);
      if (!seen) return;
      for (const [section, link] of links) {
        if (section === seen.target) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-20% 0px -75% 0px" },
  );
  for (const section of links.keys()) observer.observe(section);
}

for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-goes]")) {
  select.form!.querySelector("button")!.hidden = true;
  select.addEventListener("change", () => select.form!.requestSubmit());
}
addEventListener("hashchange", open);
open();
follow();
