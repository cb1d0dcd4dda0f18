/**
 * Makes a function that does some asynchronous work at most once in so many milliseconds, never twice at the same time, and once more where
 * it was called meanwhile. A failure is left to the next call: what is asked here is asked again.
 */
export function throttled(interval, work) {
  let busy = false;
  let again = false;
  return async function run() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    await work().catch(() => {});
    setTimeout(() => {
      busy = false;
      if (again) run();
    }, interval);
  };
}
