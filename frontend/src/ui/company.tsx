/** Who watches now: initials of members, how many in all, and by name when it is opened. */

import "../styles/pop.css";
import { anonymous, initials, people } from "../presence";
import { count, plain, plural } from "../text";
import { Icon } from "./icons";
import type { Live } from "./live";
import { Popover } from "./popover";
import { Text } from "./value";

/** Members who are shown by their initials; everybody else is a number. */
const SHOWN = 2;

export function Company({ live }: { live: Live }) {
  live.painted.value;
  const { company } = live.feed;
  const watching = people(company);
  const shown = company.members.slice(0, SHOWN);
  const text = `${count(watching)} watching`;
  if (!live.canWrite) {
    return (
      <span class="who">
        <Icon name="eye" />
        {text}
      </span>
    );
  }
  const button = (
    <>
      <span class="avs" aria-hidden="true">
        {shown.map(({ email }) => (
          <span class="av" key={email} title={plain(email)}>
            {initials(email)}
          </span>
        ))}
        {watching > shown.length && <span class="av">+{count(watching - shown.length)}</span>}
      </span>
      {text}
    </>
  );
  return (
    <span class="who">
      <Popover className="btn q" button={button}>
        {() => <Names live={live} />}
      </Popover>
    </span>
  );
}

/** By name: members, share links, and how many whom nobody can name. */
function Names({ live }: { live: Live }) {
  live.painted.value;
  const { company } = live.feed;
  const rest = anonymous(company);
  return (
    <div class="pop right">
      <ul class="list company" aria-label="Who watches now">
        {company.members.map(({ email, viewers }) => (
          <li key={email}>
            <span class="av" aria-hidden="true">
              {initials(email)}
            </span>
            <span class="u" dir="auto">
              <Text text={email} />
            </span>
            {viewers > 1 && <small>{plural(viewers, "view")}</small>}
          </li>
        ))}
        {company.links.map(({ id, name, viewers }) => (
          <li key={id}>
            <span class="av" aria-hidden="true">
              {viewers}
            </span>
            <span class="u" dir="auto">
              by the link <Text text={name || "without a name"} />
            </span>
          </li>
        ))}
        {rest > 0 && (
          <li>
            <span class="av" aria-hidden="true">
              {rest}
            </span>
            in terminals and programs
          </li>
        )}
      </ul>
    </div>
  );
}
