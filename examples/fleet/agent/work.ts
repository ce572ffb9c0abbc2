// What each role does with a job. Sizes are chosen so that a month of articles comes near the reference fleet's tokens;
// bodies are really as long as that.

import { isReworked, memberFor, membersOf, type Role } from '../plan.ts';
import type { Desk } from './desk.ts';

/** Answers what a waiting caller gets; and what is left of the material is what comes next. */
export type Work = (desk: Desk) => Promise<string>;

const KB = 1_000;
const SLUG = (article: number): string => `/v1/articles/${article}`;

async function searched(desk: Desk, about: string, kilobytes: number): Promise<string> {
  const path = `/v1?q=${about}-${desk.job.article}-${desk.name}&bytes=${kilobytes * KB}`;
  const { body } = await desk.call('GET', 'search', path);
  return (body as { results: string }).results;
}

/** The same material looked at several times, each time with a question of its own. */
async function considered(
  desk: Desk,
  questions: number,
  about: string,
  words: number,
  kilobytes: number,
  material = desk.job.material,
  stream = false,
): Promise<string> {
  const answers: string[] = [];
  for (let at = 1; at <= questions; at++) {
    const instruction = `As ${desk.name}, article ${desk.job.article}, step ${at} of ${questions}: ${about}.`;
    const so_far = `${answers.at(-1) ?? ''}\n${material}`.slice(0, kilobytes * KB);
    answers.push(await desk.think(instruction, words, kilobytes * KB, { material: so_far, stream }));
  }
  return answers.join('\n');
}

export const WORK: Readonly<Record<Role, Work>> = {
  async scout(desk) {
    const found = (await searched(desk, 'rising', 28)) + (await searched(desk, 'fading', 12));
    const ideas = await considered(desk, 3, 'find opportunities', 200, 26, found);
    await desk.handOver('keyword', ideas + found.slice(0, 20 * KB));
    return ideas;
  },
  async keyword(desk) {
    const terms = await considered(desk, 4, 'judge volume, competition and intent', 250, 22);
    await desk.handOver('strategist', terms + desk.job.material);
    return terms;
  },
  async strategist(desk) {
    const brief = await considered(desk, 2, 'write the brief', 900, 40);
    await desk.call('POST', 'cms', `/v1/briefs/${desk.job.article}`, { brief });
    const findings = await Promise.all(membersOf('research').map(({ name }) => desk.delegate(name, brief)));
    await desk.handOver(memberFor('writer', desk.job.article).name, brief + findings.join('\n'));
    return brief;
  },
  async research(desk) {
    const sources = (await searched(desk, 'sources', 40)) + (await searched(desk, 'numbers', 20));
    const asked = { material: sources, tool: 'read_page' };
    const first = await desk.think('Which page is worth reading?', 40, KB, asked);
    return considered(desk, 5, 'study the sources', 600, 52, first + sources + desk.job.material);
  },
  async writer(desk) {
    const drafts = await considered(
      desk,
      desk.job.reworked ? 2 : 6,
      'write the draft',
      2_200,
      80,
      undefined,
      true,
    );
    await desk.call('PUT', 'cms', `/v1/drafts/${desk.job.article}`, { text: drafts.slice(-20 * KB) });
    await desk.handOver(memberFor('editor', desk.job.article).name, drafts.slice(-75 * KB));
    return drafts;
  },
  async editor(desk) {
    const review = await considered(desk, 3, 'check the facts and the language', 900, 72);
    await desk.call('POST', 'mail', '/v1/messages', { to: 'desk', about: desk.job.article });
    const again = isReworked(desk.job.article) && !desk.job.reworked;
    const next = again ? memberFor('writer', desk.job.article) : memberFor('seo', desk.job.article);
    await desk.handOver(next.name, review + desk.job.material, { reworked: desk.job.reworked || again });
    return review;
  },
  async seo(desk) {
    const meta = await considered(desk, 4, 'set title, structure and links', 300, 44);
    const image = memberFor('image', desk.job.article);
    await Promise.all(
      [image, ...membersOf('social')].map(({ name }) =>
        desk.delegate(name, meta + desk.job.material.slice(0, 16 * KB)),
      ),
    );
    await desk.handOver('publisher', meta + desk.job.material.slice(0, 40 * KB));
    return meta;
  },
  async image(desk) {
    for (const format of ['wide', 'square', 'small']) {
      await desk.call('POST', 'images', '/v1/flux-pro', { prompt: desk.job.material.slice(0, KB), format });
    }
    return 'three pictures';
  },
  async social(desk) {
    const post = await considered(desk, 2, 'write the post', 80, 15, undefined, true);
    await desk.call('POST', 'mail', '/v1/posts', { post });
    return post;
  },
  async publisher(desk) {
    const page = await considered(desk, 2, 'set the page', 200, 34);
    await desk.call('POST', 'cms', SLUG(desk.job.article), { page });
    await desk.handOver('analytics', page + desk.job.material);
    return page;
  },
  async analytics(desk) {
    const figures = await considered(desk, 3, 'judge the last thirty days', 250, 44);
    await desk.handOver('scout', figures);
    return figures;
  },
};
