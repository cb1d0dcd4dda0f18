// The console's entry point. It follows the event stream of the run, and passes events on to the
// parts of the page.

import { byId } from "./dom.js";
import { follow } from "./stream.js";
import * as cli from "./cli.js";
import * as denials from "./denials.js";
import * as details from "./details.js";
import * as deadLetters from "./deadletters.js";
import * as graph from "./graph.js";
import * as jump from "./jump.js";
import * as journeys from "./journeys.js";
import * as log from "./log.js";
import * as notices from "./notices.js";
import * as run from "./run.js";
import * as search from "./search.js";
import * as time from "./time.js";
import * as top from "./top.js";

const names = byId("main").dataset.panels.split(" ").filter(Boolean);
const panels = await Promise.all(names.map((name) => import(`./panels/${name}/panel.js`)));

const parts = [top, cli, notices, denials, graph, time, search, journeys, details, deadLetters, run, log];
for (const part of [...parts, ...panels, jump]) part.start();

follow({
  event(event) {
    log.add(event);
    journeys.touched(event);
    details.touched(event);
    search.touched();
  },
  omitted: log.omitted,
  flow: graph.move,
  restarted() {
    log.forget();
    journeys.forget();
  },
});
