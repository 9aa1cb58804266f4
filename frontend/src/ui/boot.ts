/** What the server says to the page in its `#boot` element. */
export interface Boot {
  version: string;
  /** Where the data and the pages of this view are. */
  base: string;
  page: string;
  stack: { name: string };
  share: { name: string; with_logs: boolean } | null;
  member: { email: string } | null;
  readonly: boolean;
  /** It opens as a wallboard. */
  wall: boolean;
  query: string;
  /** Ready to paste, with the real key; empty for viewers of a share link. */
  snippets: { name: string; label: string; text: string }[];
  submit_url: string;
  /** The stack's newest key, for members. */
  key: string | null;
}
