// Where the mutated requests go, and what of it the agent may: each dialect and door with one thing that a rule allows
// beside all that none does.

export interface Places {
  /** `127.0.0.1:port` of the sidecar's proxy. */
  readonly proxy: string;
  /** `127.0.0.1:port` of the origin. */
  readonly origin: string;
  /** `localhost:port` of the origin's TLS. */
  readonly secure: string;
}

export const configOf = ({ origin, secure }: Omit<Places, 'proxy'>): string => `fleet: fuzz
mode: enforce
budgets: [$1000000/month]
upstreams:
  openai: { url: "http://${origin}/o", speaks: openai }
  anthropic: { url: "http://${origin}/a", speaks: anthropic }
  gemini: { url: "http://${origin}/g", speaks: gemini }
  bedrock: { url: "http://${origin}/b", speaks: bedrock }
  tools: { url: "http://${origin}/mcp", speaks: mcp }
  writer: { url: "http://${origin}/agent", speaks: a2a }
  pages: { url: "http://${origin}/pages", speaks: http }
  private: { url: "https://${secure}/o", speaks: openai }
  vault: { url: "https://${secure}/pages", speaks: http }
roles:
  fuzzer:
    allow:
      - llm openai/gpt-5-mini
      - llm private/gpt-5-mini
      - llm anthropic/claude-haiku-4-5
      - llm gemini/gemini-2.5-flash
      - llm bedrock/amazon.nova-lite-v1:0
      - mcp tools/read_*
      - a2a writer/summarise
      - http GET http://${origin}/pages/ok/**
      - http GET https://${secure}/pages/ok/**
      - http WEBSOCKET http://${origin}/pages/live/**
agents: { scout: { role: fuzzer } }
prices:
  bedrock/amazon.nova-lite-v1:0: { input: 0.06, output: 0.24, max_output: 4096 }
  gemini/gemini-2.5-flash: { input: 0.3, output: 2.5, max_output: 4096 }
  private/gpt-5-mini: { input: 0.25, output: 2, max_output: 4096 }
listen: { proxy: 127.0.0.1:0, admin: 127.0.0.1:0, otlp: 127.0.0.1:0, control: 127.0.0.1:0, sql: 127.0.0.1:0 }
`;
