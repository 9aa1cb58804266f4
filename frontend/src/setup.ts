/** The entry of the set-up page: ways to send, waiting for errors, and a test of the whole way. */

import { ready } from "./common";
import { Trip } from "./trip";
import { chooseWays } from "./ways";
import { Waiting } from "./waiting";

ready();
chooseWays();
const box = document.getElementById("waiting");
if (box) {
  const waiting = new Waiting(box);
  waiting.begin();
  new Trip(box, waiting).begin();
}
