import { connect } from 'node:net';
import type { HostPort, Instance } from '../config/index.ts';
import type { Status } from '../control/index.ts';
import type { Report } from './types.ts';

const TIMEOUT_MS = 500;

/** Whether the endpoint's and the HTTP port are served by the rdi that was asked, or free for one to start. */
export async function examinePorts(
  { listen, http }: Instance,
  running: { readonly address: string; readonly status: Status } | null,
  report: Report,
): Promise<void> {
  const served = running?.status.endpoint.address;
  const places: [string, HostPort | null, boolean][] = [
    ['the endpoint', listen, served?.endsWith(`:${listen.port}`) === true],
    ['HTTP', http, running !== null && http !== null && new URL(running.address).port === String(http.port)],
  ];
  await Promise.all(
    places.map(async ([name, place, isOurs]) => {
      if (place === null || place.port === 0) return;
      const where = `${place.host}:${place.port}`;
      const isTaken = await accepts(place);
      if (isTaken && isOurs) report('ok', 'endpoint-port', where, `The port of ${name} is served by rdi.`);
      else if (isTaken) {
        const fix = 'Stop what listens there, or choose another port (--listen, --http).';
        report('warning', 'endpoint-port', where, `Something else listens on the port of ${name}.`, fix);
      } else if (running === null) report('ok', 'endpoint-port', where, `The port of ${name} is free.`);
      else {
        const what = `Nothing listens on the port of ${name} as configured here; the running rdi is elsewhere${served === undefined || name === 'HTTP' ? '' : `, on ${served}`}.`;
        report('info', 'endpoint-port', where, what);
      }
    }),
  );
}

function accepts({ host, port }: HostPort): Promise<boolean> {
  const everywhere = host === '0.0.0.0' || host === '::';
  const socket = connect({ host: everywhere ? '127.0.0.1' : host, port, timeout: TIMEOUT_MS });
  return new Promise((resolve) => {
    const done = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}
