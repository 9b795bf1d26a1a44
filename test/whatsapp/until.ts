/**
 * Waits until `read` gives something that fits. Throws after the deadline with the last thing it gave.
 * @param everyMs the pause between two looks, in milliseconds: a longer one where looks would disturb what is measured
 */
export async function until<Value>(
  what: string,
  read: () => Value | Promise<Value>,
  fits: (value: Value) => boolean,
  deadlineMs = 60_000,
  everyMs = 15,
): Promise<Value> {
  const giveUpAt = performance.now() + deadlineMs;
  let last = await read();
  while (!fits(last)) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not come; last: ${JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
    last = await read();
  }
  return last;
}
