#!/usr/bin/env node
// Sample candidate for Countersign on Signal's official binary. Newline-delimited JSON on standard input and output by default;
// `--http HOST:PORT` serves the same operations over HTTP.
import { parseArgs } from 'node:util';
import { serveHttp, serveLines } from './src/carriers.mjs';
import { DEFECTS, selectDefect } from './src/defects.mjs';
import { Candidate } from './src/operations.mjs';

const USAGE = `usage: node candidate.mjs [--http HOST:PORT] [--defect ID]

  --http HOST:PORT  serve POST /{operation} there, instead of lines on standard input and output
  --defect ID       be broken in one way, to test the tests (or COUNTERSIGN_DEFECT=ID):
${Object.entries(DEFECTS).map(([id, what]) => `                      ${id.padEnd(28)} ${what}`).join('\n')}`;

function usageError(what) {
  console.error(`error: ${what}\n\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    const { values } = parseArgs({ options: { http: { type: 'string' }, defect: { type: 'string' }, help: { type: 'boolean' } } });
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

const { http, help } = options();
const candidate = new Candidate();
if (help) {
  console.error(USAGE);
} else if (http === undefined) {
  await serveLines(candidate, process.stdin, process.stdout);
  await candidate.end();
} else {
  const { host, port } = address(http);
  const server = await serveHttp(candidate, host, port);
  const where = server.address();
  console.error(`listening on http://${where.family === 'IPv6' ? `[${where.address}]` : where.address}:${where.port}`);
}
