// One HTTP POST, ready to be sent, and what came of it.

export interface Message {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `status` 0: nobody answered. */
export interface Answer {
  readonly status: number;
  /** What it said, shortened; or why there was no answer. Never the URL: it may be the secret. */
  readonly text: string;
  /** As `retry-after` says, seconds; null when it does not. */
  readonly retryAfterSeconds: number | null;
}

/** Sends one message. Never rejects. */
export type Post = (message: Message) => Promise<Answer>;
