// Chromium on the console: a page that is signed in, and everything a page must never do, collected while it is open.

import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Under which the sandbox of Debian's Chromium has no rights to start. */
const isRoot = process.getuid?.() === 0;

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: isRoot ? ['--no-sandbox'] : [],
  });

export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors in the browser's console, uncaught ones, and what the security policy refused. */
  readonly faults: readonly string[];
}

/** A fresh browser profile; `link` signs it in. */
export async function openPage(browser: Browser, link?: string): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    timezoneId: 'Europe/Paris',
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (failure) => faults.push(failure.message));
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  if (link !== undefined) await page.goto(link);
  return { context, page, faults };
}
