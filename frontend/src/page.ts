/** The entry of every page but the live view and the set-up page. */

import { ready } from "./common";
import { keepFresh } from "./fresh";

ready();
keepFresh();
