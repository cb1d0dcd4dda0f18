// The console: follows the run's event stream, and lets each part of the page draw its share of it.

import { follow } from "./stream.js";
import * as denials from "./denials.js";
import * as details from "./details.js";
import * as deadLetters from "./deadletters.js";
import * as factory from "./factory.js";
import * as graph from "./graph.js";
import * as journeys from "./journeys.js";
import * as log from "./log.js";
import * as notices from "./notices.js";
import * as plots from "./plots.js";
import * as rush from "./rush.js";
import * as top from "./top.js";

for (const part of [top, notices, denials, graph, journeys, details, plots, deadLetters, rush, factory, log]) part.start();

follow({
  event(event) {
    log.add(event);
    journeys.touched(event);
    details.touched(event);
    if (event.denied) denials.denied(event);
  },
  flow: graph.move,
  restarted() {
    log.forget();
    denials.forget();
    journeys.forget();
  },
});
