/**
 * `npm start`: the whole product on this machine. This program makes the others if their sources have changed, and then
 * becomes the supervisor: the same process runs another program, so that signals reach it and none of this stays in
 * memory.
 */
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Node 24 or newer is needed, this is ${process.version}. Start with npm: npm ci && npm start\n`);
  process.exit(1);
}
// These modules are loaded only now, because an older Node could not even read them.
const { makePrograms, MEMORY_ENVIRONMENT, NODE_FLAGS, programFile } = await import('./programs.ts');

// Windows has no way to become another program.
const programs = process.execve === undefined ? undefined : await makePrograms(say);
if (programs === undefined) await import('./supervisor.ts');
else {
  const supervisor = programFile('infra/local/supervisor.ts', programs);
  const args = [process.execPath, ...NODE_FLAGS, supervisor, ...process.argv.slice(2)];
  process.execve?.(process.execPath, args, { ...process.env, ...MEMORY_ENVIRONMENT });
}
