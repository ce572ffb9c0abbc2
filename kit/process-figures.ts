// What a process costs the machine, under the names that Prometheus' own client libraries use.

const startedSeconds = Date.now() / 1000 - process.uptime();

export function processFigures() {
  const { user, system } = process.cpuUsage();
  return {
    process_cpu_seconds_total: (user + system) / 1e6,
    process_resident_memory_bytes: process.memoryUsage.rss(),
    process_start_time_seconds: startedSeconds,
  };
}
