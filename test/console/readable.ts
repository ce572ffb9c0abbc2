// What is measured inside a page of the console: whether it fits, and whether it can be read.

import type { Page } from 'playwright-core';

/** How much wider than the screen the page is, pixels. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

/** Every text that stands out from its ground by less than 4.5, the WCAG minimum. */
export const faintTexts = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const over = (color: string, ground: readonly number[]): number[] => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = `rgb(${ground.join(' ')})`;
      pen.fillRect(0, 0, 1, 1);
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const groundOf = (element: Element | null): number[] =>
      element === null
        ? [255, 255, 255]
        : over(getComputedStyle(element).backgroundColor, groundOf(element.parentElement));
    const luminance = (color: readonly number[]): number => {
      const [r = 0, g = 0, b = 0] = color.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = new Set<string>();
    for (const element of document.querySelectorAll('body *')) {
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      if (!hasText || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const ground = groundOf(element);
      const [light, dark] = [
        luminance(over(getComputedStyle(element).color, ground)),
        luminance(ground),
      ].sort((a, b) => b - a) as [number, number];
      const contrast = (light + 0.05) / (dark + 0.05);
      if (contrast < 4.5)
        found.add(`${contrast.toFixed(2)} ${element.className} ${element.textContent?.slice(0, 40)}`);
    }
    return [...found];
  });
