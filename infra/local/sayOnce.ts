const REPEAT_AFTER_MS = 30_000;

/** Passes a line on when it was not said in the last seconds: trouble repeats itself with every try. */
export function sayOnce(say: (line: string) => void): (line: string) => void {
  const saidAtMs = new Map<string, number>();
  return (line) => {
    const nowMs = performance.now();
    if (nowMs - (saidAtMs.get(line) ?? -REPEAT_AFTER_MS) < REPEAT_AFTER_MS) return;
    saidAtMs.set(line, nowMs);
    say(line);
  };
}
