// Opens each HTML file given in Chromium, without a network, at desktop and phone width, light and dark, and exits 1 if it
//  - breaks a rule of WCAG 2.2 AA or a best practice that axe knows,
//  - is wider than the screen,
//  - asks for anything but itself, says anything on the console, or runs a script of its own,
//  - has a link that does not bring its target into view,
//  - does not say within the first screen what to fix, if something failed.
// usage: node run.js [--screenshots FOLDER] FILE.html… [--once FILE.html…]
// Files after `--once` are large: axe looks at them once, at desktop width, with what is folded left folded, but for contrast,
// which depends on the colour scheme and is looked at in both.
// The browser is `chromium` on the path, or $CHROMIUM.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const small = [];
const large = [];
let screenshots;
let list = small;
const words = process.argv.slice(2);
while (words.length > 0) {
  const word = words.shift();
  if (word === '--screenshots') screenshots = words.shift();
  else if (word === '--once') list = large;
  else list.push(word);
}
if (small.length + large.length === 0) {
  console.error('usage: node run.js [--screenshots FOLDER] FILE.html… [--once FILE.html…]');
  process.exit(2);
}
if (screenshots) fs.mkdirSync(screenshots, { recursive: true });
const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const screens = [{ width: 1280, height: 900 }, { width: 390, height: 844 }];

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
let faults = 0;
for (const file of [...small, ...large]) {
  for (const viewport of screens) {
    for (const colorScheme of ['light', 'dark']) {
      const began = Date.now();
      const found = await examine(file, viewport, colorScheme, large.includes(file));
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      console.log(`${found.length === 0 ? 'ok  ' : 'FAIL'} ${file}, ${viewport.width} px, ${colorScheme}, ${seconds} s`);
      for (const fault of found) console.log(`     ${fault}`);
      faults += found.length;
    }
  }
}
await browser.close();
process.exit(faults === 0 ? 0 : 1);

async function examine(file, viewport, colorScheme, once) {
  const url = pathToFileURL(resolve(file)).href;
  const faults = [];
  // As a reader opens it, with its own content security policy: what it asks for and what it says.
  const reader = await browser.newContext({ viewport, colorScheme, offline: true });
  const page = await reader.newPage();
  page.on('request', (request) => request.url() === url || faults.push(`asks for ${request.url()}`));
  page.on('console', (message) => faults.push(`console: ${message.text()}`));
  page.on('dialog', (dialog) => { faults.push('opens a dialog'); dialog.dismiss(); });
  await page.goto(url, { waitUntil: 'load' });
  faults.push(...(await page.evaluate(layoutFaults)));
  faults.push(...(await page.evaluate(firstScreenFaults)));
  if (screenshots) {
    const name = `${basename(dirname(resolve(file)))}-${viewport.width}-${colorScheme}`;
    await page.screenshot({ path: join(screenshots, `${name}.png`), timeout: 120_000 });
    await page.setViewportSize({ width: viewport.width, height: 3200 });
    await page.screenshot({ path: join(screenshots, `${name}-long.png`), timeout: 120_000 });
    await page.setViewportSize(viewport);
  }
  faults.push(...(await page.evaluate(followLinks)));
  await reader.close();
  // axe is a script, which the policy rightly forbids: it is examined in a context that does not enforce it, all opened up.
  const examiner = await browser.newContext({ viewport, colorScheme, offline: true, bypassCSP: true });
  const opened = await examiner.newPage();
  await opened.goto(url, { waitUntil: 'load' });
  if (!once) {
    await opened.evaluate(() => document.querySelectorAll('details').forEach((d) => { d.open = true; }));
    faults.push(...(await opened.evaluate(layoutFaults)).map((fault) => `all opened: ${fault}`));
  }
  const desktop = viewport.width === screens[0].width;
  if (!once || desktop) {
    await opened.evaluate(axe);
    const runOnly = once && colorScheme === 'dark' ? { type: 'rule', values: ['color-contrast'] } : { type: 'tag', values: tags };
    const result = await opened.evaluate((only) => window.axe.run(document, { runOnly: only, resultTypes: ['violations'] }), runOnly);
    for (const violation of result.violations) {
      faults.push(`${violation.id} (${violation.impact}): ${violation.help}, ${violation.nodes.length} times, first ${violation.nodes[0].html.slice(0, 200)}`);
    }
  }
  await examiner.close();
  return faults;
}

// What to fix first has to stand within the first screen, for whoever reads nothing else.
function firstScreenFaults() {
  const first = document.querySelector('.first');
  if (!first) return [];
  const below = first.getBoundingClientRect().bottom - window.innerHeight;
  return below > 0 ? [`what to fix first ends ${Math.round(below)} px below the first screen`] : [];
}

// Follows every link, as a reader does, and looks whether its target can be seen then.
function followLinks() {
  const faults = [];
  for (const target of new Set([...document.links].map((a) => a.hash))) {
    location.hash = target;
    const visible = document.getElementById(decodeURIComponent(target.slice(1)))?.checkVisibility() ?? false;
    if (!visible) faults.push(`the link ${target} leads to nothing that can be seen`);
  }
  return faults;
}

function layoutFaults() {
  const faults = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`is ${scrollWidth} px wide on a screen of ${clientWidth}`);
  if (document.scripts.length > 0) faults.push('has a script');
  return faults;
}
