// What the AWS CLI needs to call the run, and the buttons that copy a text.

import { byId, el, setText } from "./dom.js";
import { on, state } from "./store.js";

/** A button that copies a text. While it says so, its name does too. */
export function copyButton(text, what) {
  const button = el("button", {
    type: "button",
    class: "copy",
    async click() {
      let said = "Copied";
      try {
        await navigator.clipboard.writeText(text());
      } catch {
        said = "Not copied";
      }
      say(said);
      setText(byId("copied"), `${said}: ${what}`);
      setTimeout(() => say("Copy"), 2000);
    },
  });
  const say = (word) => {
    setText(button, word);
    button.ariaLabel = `${word} ${what}`;
  };
  say("Copy");
  return button;
}

const exportsOf = () => [
  `export AWS_ENDPOINT_URL=${state.endpoints?.aws ?? ""}`,
  "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local",
  `export AWS_DEFAULT_REGION=${state.region ?? ""}`,
].join("\n");

/** Starts the part. */
export function start() {
  byId("cli").append(copyButton(exportsOf, "the exports for the AWS CLI"));
  on(["endpoints", "region"], () => {
    byId("cli").hidden = !state.endpoints?.aws || !state.region;
    setText(byId("cli-exports"), exportsOf());
  });
}
