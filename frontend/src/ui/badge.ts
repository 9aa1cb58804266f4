/** What a tab that nobody sees says of itself: its title and its icon. */

/** `calm`; errors came while nobody looked; a trap sprang. */
const ICONS = { calm: "favicon.svg", news: "favicon-news.svg", alarm: "favicon-alarm.svg" };

export class Badge {
  private unseen = 0;
  private alarm = "";
  private readonly link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  private readonly folder = this.link?.href.replace(/[^/]*$/, "") ?? "";

  constructor(private readonly name: string) {}

  /** So many errors came while the tab is hidden; 0 when it no longer is. */
  count(unseen: number): void {
    this.unseen = unseen;
    this.show();
  }

  /** A trap sprang, which `text` says in a few words; it stays until someone looks. */
  ring(text: string): void {
    this.alarm = text;
    this.show();
  }

  /** The address of one of the icons. */
  icon(name: keyof typeof ICONS): string {
    return this.folder + ICONS[name];
  }

  private show(): void {
    const count = this.unseen > 0 ? `(${this.unseen}) ` : "";
    document.title = this.alarm ? `● ${this.alarm} · ${this.name}` : `${count}${this.name} · ErrorStack Live`;
    const href = this.icon(this.alarm ? "alarm" : this.unseen > 0 ? "news" : "calm");
    if (this.link && this.link.href !== href) this.link.href = href;
  }
}
