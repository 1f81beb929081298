import { spawn } from 'node:child_process';

/** Runs a database's own command line client with `sql` as its input; resolves to what it prints. */
export function runClient(command: string, args: readonly string[], sql: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = spawn(command, [...args], { stdio: 'pipe', cwd: '/' });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    client.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    client.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    client.once('error', reject);
    client.once('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else reject(new Error(`${command} ended with ${code}: ${Buffer.concat(errors).toString('utf8').slice(0, 2000)}`));
    });
    // A server that goes away closes the pipe; the exit code tells.
    client.stdin.on('error', () => {});
    client.stdin.end(sql);
  });
}
