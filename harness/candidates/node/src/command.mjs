// A sample candidate's command line. Newline-delimited JSON on standard input and output by default; `--http HOST:PORT` serves the same
// operations over HTTP; `--dial URL` opens a WebSocket to a run that waits for a candidate to dial in.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { dialOut, serveHttp, serveLines } from './carriers.mjs';
import { DEFECTS, selectDefect } from './defects.mjs';
import { Candidate } from './operations.mjs';

const USAGE = `usage: node candidate.mjs [--http HOST:PORT | --dial URL --dial-key-file FILE [--ca FILE]] [--defect ID]

  --http HOST:PORT  serve POST /{operation} there, instead of lines on standard input and output
  --dial URL        dial out to a run with \`--candidate dial-in\`; the key of that run is in --dial-key-file,
                    and certificates to trust there in --ca
  --defect ID       be broken in one way, to test the tests (or COUNTERSIGN_DEFECT=ID):
${Object.entries(DEFECTS).map(([id, what]) => `                      ${id.padEnd(28)} ${what}`).join('\n')}`;

const text = { type: 'string' };
const OPTIONS = { http: text, dial: text, 'dial-key-file': text, ca: text, defect: text, help: { type: 'boolean' } };

function usageError(what) {
  console.error(`error: ${what}\n\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if ((values.dial === undefined) !== (values['dial-key-file'] === undefined)) throw new Error('--dial and --dial-key-file go together');
    if (values.dial !== undefined && values.http !== undefined) throw new Error('--dial or --http, not both');
    selectDefect(values.defect ?? (process.env.COUNTERSIGN_DEFECT || null));
    return values;
  } catch (error) {
    return usageError(error.message);
  }
}

function address(text) {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65535) usageError(`\`${text}\` is not HOST:PORT`);
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port: Number(match[2]) };
}

/** Runs the candidate on this stack (see `operations.mjs`) until its input or its run ends. */
export async function main(stack) {
  const { http, dial, 'dial-key-file': keyFile, ca, help } = options();
  const candidate = new Candidate(stack);
  if (help) {
    console.error(USAGE);
  } else if (dial !== undefined) {
    try {
      const key = readFileSync(keyFile, 'utf8').trim();
      await dialOut(candidate, { url: dial, key, ca: ca === undefined ? undefined : readFileSync(ca, 'utf8') });
    } catch (error) {
      console.error(`error: ${error.message}`);
      process.exitCode = 3;
    }
    await candidate.end();
  } else if (http === undefined) {
    // Whoever read the replies is gone: there is nothing to answer any more, and nobody to be told of it.
    process.stdout.on('error', () => process.exit(1));
    await serveLines(candidate, process.stdin, process.stdout);
    await candidate.end();
  } else {
    const { host, port } = address(http);
    const server = await serveHttp(candidate, host, port);
    const where = server.address();
    console.error(`listening on http://${where.family === 'IPv6' ? `[${where.address}]` : where.address}:${where.port}`);
  }
}
