/** The entry of every page but the live view. */

import { ready } from "./common";

ready();
