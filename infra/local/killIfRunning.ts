/** Kills a process that would otherwise be left running. */
export function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process is gone already, which is what was wanted.
  }
}
