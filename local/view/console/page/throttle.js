/**
 * Returns a function that calls asynchronous work at most once in an interval, in milliseconds, and
 * never twice at the same time. If it is called during the interval, it calls work once more at the
 * end. It ignores failures, because a later call repeats the request.
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
