// Holds what a run found to what is written down of it. usage: held.mjs summary.json [VERDICT=SCENARIO,SCENARIO…]… [--beside FINDING]
// Every scenario that did not pass has to be named, and every named one has to have that verdict. With `--beside`, checks with that
// finding do not count: where one lack of a library fails nearly all scenarios, the others are what is to be held.
import { readFileSync } from 'node:fs';

const ORDER = ['fail', 'blocked', 'warn'];
const [file, ...rest] = process.argv.slice(2);
const at = rest.indexOf('--beside');
const beside = at < 0 ? null : rest.splice(at, 2)[1];

const expected = new Map(rest.flatMap((held) => {
  const [verdict, names] = held.split('=');
  return names.split(',').map((name) => [name, verdict]);
}));
const found = new Map();
let apart = 0;
for (const { name, verdict, checks } of JSON.parse(readFileSync(file, 'utf8')).instances) {
  if (verdict === 'pass') continue;
  const left = checks.filter((check) => beside === null || check.finding !== beside).map((check) => check.verdict);
  // What is no verdict of single checks, such as `inconclusive`, stands as it is.
  const judged = ORDER.includes(verdict) ? ORDER.find((one) => left.includes(one)) : verdict;
  if (judged === undefined) apart += 1;
  else found.set(name, judged);
}

let code = 0;
for (const name of new Set([...expected.keys(), ...found.keys()])) {
  const [is, should] = [found.get(name) ?? 'pass', expected.get(name) ?? 'pass'];
  if (is === should) continue;
  console.error(`${file}: ${name}: ${is}, and ${should} is written down`);
  code = 1;
}
if (beside !== null && apart === 0) {
  console.error(`${file}: nothing failed by \`${beside}\``);
  code = 1;
}
process.exit(code);
