// The control API, described for tools. Small and written by hand; a test holds its paths to the routes.

const json = (description: string) => ({ description, content: { 'application/json': {} } });
const operation = (summary: string, answer: string) => ({
  summary,
  security: [{ joinToken: [] }],
  responses: { 200: json(answer), 401: json('no join token, or one that is not known') },
});

export const openapi = {
  openapi: '3.1.0',
  info: { title: 'Outrider control API', version: '1' },
  components: { securitySchemes: { joinToken: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/v1/leases': {
      post: operation('Ask for, renew, report on or give back leases', 'one answer for each ask, in order'),
    },
    '/v1/budgets': {
      get: operation(
        'What is spent, held and left',
        '[{level, name, window, unit, limit, posted, held, resets_at}]',
      ),
    },
    '/v1/budgets/write-off': { post: operation('Post expired slices that nobody settled', '{written_off}') },
    '/v1/agents': {
      get: operation('Who is here', '[{name, instance, mode, last_seen, health}]'),
      post: operation('A heartbeat', '{otlp}: where to send spans'),
    },
    '/v1/tasks/{id}': { post: operation('The end of a task', '{ended}') },
    '/v1/events': { get: operation('Recalls, as server-sent events', 'text/event-stream') },
  },
};
