// The console in Chromium, on a real collector, sidecar and practice provider: before any call, with something to show,
// with hostile names, live, by keyboard, and when the collector is gone.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, openPage, type Watched } from '../support/browser.ts';
import { faintTexts, overflow } from './readable.ts';
import { HOSTILE_TRACE_ID, play, playHostile, TRACE_ID } from './scene.ts';
import { type Stage, startStage } from './stage.ts';

let browser: Browser;
let stage: Stage;
let watched: Watched;

beforeAll(async () => {
  [browser, stage] = await Promise.all([launch(), startStage()]);
  watched = await openPage(browser, await stage.link());
}, 120_000);
afterAll(async () => {
  await browser.close();
  await stage.stop();
});

const open = async (hash: string) => {
  await watched.page.goto(`${stage.control}/#/${hash}`);
  return watched.page;
};

const PAGES: [string, string, string][] = [
  ['fleet', '?range=1h', 'writer-1'],
  ['agent', 'agents/trend-scout?range=1h', 'article-6'],
  ['calls', 'calls?range=1h', 'writer-1'],
  ['trace', `trace/${TRACE_ID}`, 'invoke_agent trend-scout'],
];

describe('before any call', () => {
  test.each([
    ['', 'No call in the last 24 hours'],
    ['', 'Nobody. Nothing waits for an answer'],
    ['', 'No agent was heard of yet.'],
    ['calls', 'No call yet'],
    ['calls?agent=nobody', 'No call matches'],
    ['agents/nobody', 'No entry of the configuration rules an agent of this name.'],
    [`trace/${TRACE_ID}`, 'No span and no call of this trace is in the store.'],
    ['nowhere', 'There is no such page'],
  ])('#/%s says: %s', async (hash, sentence) => {
    const page = await open(hash);
    await page.getByText(sentence).waitFor();
    expect(await overflow(page)).toBe(0);
  });
});

describe('signing in', () => {
  test('without a session every page says how to get one, and asks for nothing more', async () => {
    const { context, page } = await openPage(browser);
    await page.goto(`${stage.control}/#/calls`);
    await page.getByText('outrider console', { exact: true }).waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    await context.close();
  });

  test('a used link says so; a fresh one leaves no code in the address', async () => {
    const link = await stage.link();
    const first = await openPage(browser, link);
    await first.page.getByRole('heading', { name: 'content-pipeline' }).waitFor();
    expect(first.page.url()).toBe(`${stage.control}/`);
    expect(await first.page.evaluate(() => document.cookie)).toBe('');
    await first.page.getByRole('button', { name: 'Sign out' }).click();
    await first.page.getByText('your session is over').waitFor();
    await first.context.close();
    const second = await openPage(browser, link);
    await second.page.getByText('That link is over').waitFor();
    await second.context.close();
  });
});

describe('with something to show', () => {
  beforeAll(() => play(stage));

  test.each(PAGES)('%s fits and can be read, wide and narrow, light and dark', async (_, hash, text) => {
    const page = await open(hash);
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.getByText(text).first().waitFor();
        expect(await overflow(page), `${width} ${colorScheme}`).toBe(0);
        expect(await faintTexts(page), `${width} ${colorScheme}`).toEqual([]);
      }
    }
    await page.setViewportSize({ width: 1280, height: 860 });
  });

  test('the fleet says what happened: money to the last digit, refusals, who waits', async () => {
    const page = await open('?range=1h');
    const [row] = await stage.query<{ spent: string; calls: string }>(
      'SELECT toString(sum(cost_usd)) AS spent, count() AS calls FROM actions',
    );
    await page.locator('.figure', { hasText: 'Spent' }).getByText(row!.spent).waitFor();
    await page.locator('.figure', { hasText: 'Calls' }).getByText(row!.calls).waitFor();
    await page.locator('.needs li', { hasText: 'Waits for a yes' }).getByText('/cms/articles').waitFor();
    await page.locator('.needs li', { hasText: 'Out of money' }).getByText('3 calls refused').waitFor();
    const codes = await page.locator('.refusals .code').allTextContents();
    expect([...new Set(codes)].sort()).toEqual([
      'approval_needed',
      'out_of_scope',
      'over_budget',
      'prohibited',
    ]);
  });

  test('an agent leads to its calls, a call to its place in its trace', async () => {
    const page = await open('');
    await page.getByRole('rowheader', { name: 'trend-scout' }).getByRole('link').click();
    await page.getByRole('heading', { name: 'trend-scout' }).waitFor();
    await page.getByText('All its calls').click();
    await page.getByLabel('Status').selectOption('refused');
    await page.locator('tr', { hasText: 'gpt-5-pro' }).getByRole('link').click();
    const panel = page.getByRole('complementary');
    await panel.locator('.code', { hasText: 'out_of_scope' }).waitFor();
    await panel.getByText('none matched').waitFor();
    const names = await page.locator('.span-title').allTextContents();
    expect(names).toEqual([
      'invoke_agent trend-scout',
      'chat gpt-5-mini',
      'GET search',
      'chat gpt-5-pro',
      'chat claude-haiku-4-5',
      'parse answer',
    ]);
    await page.locator('.span', { hasText: 'invoke_agent' }).click();
    await panel.getByText('agents & budgets').waitFor();
  });

  test('times stand in the viewer’s zone, with UTC behind them', async () => {
    const page = await open('calls');
    const time = page.locator('.calls time').first();
    const iso = (await time.getAttribute('datetime'))!;
    const inParis = new Date(iso).toLocaleTimeString('en-GB', { timeZone: 'Europe/Paris' });
    expect(await time.textContent()).toBe(inParis);
    expect(await time.getAttribute('title')).toBe(`${iso.replace('T', ' ').replace('Z', '')} UTC`);
  });

  test('what an agent wrote is text, wherever it is shown', async () => {
    await playHostile(stage);
    for (const hash of ['?range=1h', 'calls', 'agents/trend-scout', `trace/${HOSTILE_TRACE_ID}`]) {
      const page = await open(hash);
      if (hash !== '?range=1h') await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
      expect(await page.locator('main img, main script, main iframe').count()).toBe(0);
      expect(await overflow(page)).toBe(0);
      await page.setViewportSize({ width: 390, height: 860 });
      expect(await overflow(page)).toBe(0);
      await page.setViewportSize({ width: 1280, height: 860 });
    }
  });
});

describe('live', () => {
  const search = { agent: 'trend-scout', path: '/search/v1/news?q=live' } as const;

  test('a call appears as it ends, without the page being loaded again', async () => {
    const page = await open('calls');
    await page.locator('[data-state="live"]').waitFor();
    await page.locator('tr[data-call]').first().waitFor();
    await page.evaluate(() => Object.assign(window, { same: true }));
    const { id } = await stage.call(search);
    await page.locator(`[data-call="${id}"]`).waitFor();
    expect(await page.evaluate(() => 'same' in window)).toBe(true);
  });

  test('while paused, calls are counted and wait', async () => {
    const page = await open('calls');
    await page.locator('[data-state="live"]').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const { id } = await stage.call(search);
    await page.getByText('1 new call').waitFor();
    expect(await page.locator(`[data-call="${id}"]`).count()).toBe(0);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator(`[data-call="${id}"]`).waitFor();
  });

  test('only what matches the filter comes in', async () => {
    const page = await open('calls?agent=analytics');
    await page.locator('[data-state="live"]').waitFor();
    const other = await stage.call(search);
    const chat = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'hi' }] };
    const mine = await stage.call({ agent: 'analytics', path: '/openai/v1/chat/completions', body: chat });
    await page.locator(`[data-call="${mine.id}"]`).waitFor();
    expect(await page.locator(`[data-call="${other.id}"]`).count()).toBe(0);
  });

  test('the fleet’s sums follow', async () => {
    const page = await open('');
    const calls = page.locator('.figure', { hasText: 'Calls' }).locator('dd');
    await calls.waitFor();
    const before = Number(await calls.textContent());
    await stage.call(search);
    await calls.getByText(String(before + 1)).waitFor();
  });
});

describe('by keyboard', () => {
  test('/ filters, Escape empties and leaves the field, j and k walk, Enter opens, Escape goes back', async () => {
    const page = await open('calls');
    await page.locator('[data-row]').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('gpt-5-pro');
    await page.waitForFunction(() => document.querySelectorAll('[data-row]').length === 1);
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.querySelectorAll('[data-row]').length > 1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('k');
    const at = await page.evaluate(() =>
      [...document.querySelectorAll('[data-row]')].indexOf(document.activeElement as Element),
    );
    expect(at).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Trace/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('heading', { name: 'Calls' }).waitFor();
  });

  test('the first stop of Tab skips to the page', async () => {
    const page = await open('');
    await page.reload();
    await page.locator('.agents').waitFor();
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  });

  test('the chosen theme holds against the system’s, and is kept', async () => {
    const page = await open('');
    await page.emulateMedia({ colorScheme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    const button = page.locator('.theme');
    await button.click();
    await button.click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.locator('.agents').waitFor();
    expect(await ground()).toBe(dark);
    await button.click();
    expect(await ground()).toBe(light);
  });
});

test('nothing on the way here was an error in the browser, or refused by the security policy', () => {
  // A trace that is not there is asked for above, and Chromium notes each answer of 404.
  const notFound = 'Failed to load resource: the server responded with a status of 404 (Not Found)';
  expect(watched.faults.filter((fault) => fault !== notFound)).toEqual([]);
});

describe('when the collector is gone', () => {
  beforeAll(async () => {
    await open('?range=1h');
    await watched.page.locator('.agents').waitFor();
    await stage.collector.kill('SIGKILL');
  });

  test('the page keeps what it had, says that it is old, and tries again', async () => {
    const { page } = watched;
    await page.locator('[data-state="lost"]').waitFor();
    await page.getByText('Reconnecting').waitFor();
    expect(await page.locator('.agents').count()).toBe(1);
    await page.getByRole('button', { name: '6 hours' }).click();
    await page.getByText('The collector does not answer.').first().waitFor();
  });

  test.each([
    ['calls?range=7d', 'That could not be shown'],
    ['agents/writer-1', 'That could not be shown'],
    [`trace/${TRACE_ID}`, 'That could not be shown'],
  ])('#/%s says so', async (hash, sentence) => {
    await watched.page.evaluate((to) => {
      window.location.hash = to;
    }, `#/${hash}`);
    await watched.page.getByText(sentence).waitFor();
    expect(await overflow(watched.page)).toBe(0);
    expect(await faintTexts(watched.page)).toEqual([]);
  });
});
