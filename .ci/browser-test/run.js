// Opens each HTML file given in Chromium, without a network, at desktop and phone width, light and dark, and exits 1 if it
//  - breaks a rule of WCAG 2.2 AA or a best practice that axe knows,
//  - is wider than the screen,
//  - asks for anything but itself, says anything on the console, or runs a script of its own,
//  - has a link that does not bring its target into view.
// The browser is `chromium` on the path, or $CHROMIUM.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node run.js FILE.html…');
  process.exit(2);
}
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const screens = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
let faults = 0;
for (const file of files) {
  for (const viewport of screens) {
    for (const colorScheme of ['light', 'dark']) {
      const found = await examine(pathToFileURL(resolve(file)).href, viewport, colorScheme);
      console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${file}, ${viewport.width} px, ${colorScheme}`);
      for (const fault of found) console.log(`     ${fault}`);
      faults += found.length;
    }
  }
}
await browser.close();
process.exit(faults === 0 ? 0 : 1);

async function examine(url, viewport, colorScheme) {
  const faults = [];
  // As a reader opens it, with its own content security policy: what it asks for and what it says.
  const reader = await browser.newContext({ viewport, colorScheme, offline: true });
  const page = await reader.newPage();
  page.on('request', (request) => request.url() === url || faults.push(`asks for ${request.url()}`));
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => { faults.push('opens a dialog'); dialog.dismiss(); });
  await page.goto(url, { waitUntil: 'load' });
  faults.push(...(await page.evaluate(layoutFaults)));
  for (const target of await page.evaluate(() => [...new Set([...document.links].map((a) => a.hash))])) {
    await page.evaluate((hash) => { location.hash = hash; }, target);
    const visible = await page.evaluate((id) => document.getElementById(id)?.checkVisibility() ?? false, decodeURIComponent(target.slice(1)));
    if (!visible) faults.push(`the link ${target} leads to nothing that can be seen`);
  }
  await reader.close();
  // axe is a script, which the policy rightly forbids: it is examined in a context that does not enforce it, all opened up.
  const examiner = await browser.newContext({ viewport, colorScheme, offline: true, bypassCSP: true });
  const opened = await examiner.newPage();
  await opened.goto(url, { waitUntil: 'load' });
  await opened.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
  faults.push(...(await opened.evaluate(layoutFaults)).map((fault) => `all opened: ${fault}`));
  await opened.evaluate(axe);
  const result = await opened.evaluate((values) => window.axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] }), tags);
  for (const violation of result.violations) {
    faults.push(`${violation.id} (${violation.impact}): ${violation.help}, ${violation.nodes.length} times, first ${violation.nodes[0].html.slice(0, 200)}`);
  }
  await examiner.close();
  return faults;
}

function layoutFaults() {
  const faults = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`is ${scrollWidth} px wide on a screen of ${clientWidth}`);
  if (document.scripts.length > 0) faults.push('has a script');
  return faults;
}
