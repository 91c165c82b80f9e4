// Holds the running stack: starts the AppHost, waits until all is ready, prints what a developer needs, and stops it all.
//   node eng/up.mjs --apphost DLL --data DIR --began MS [--demo DLL]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";

const stopWithinMs = 20_000;
const { values: options } = parseArgs({
  options: { apphost: { type: "string" }, data: { type: "string" }, began: { type: "string" }, demo: { type: "string" } },
});
const adminKey = process.env.Parameters__AdminKey;
const gateway = `http://localhost:${process.env.Gateway__HttpPort ?? 8080}`;
const gatewayGrpc = `http://localhost:${process.env.Gateway__GrpcPort ?? 8081}`;
const elapsed = () => `${((Date.now() - Number(options.began)) / 1000).toFixed(1)} s`;

// In a session of its own, so that Ctrl+C reaches this process alone, which then stops the rest in order; and told to stop when
// this process ends in whatever way.
const start = (...command) =>
  spawn("setpriv", ["--pdeathsig", "TERM", "--", ...command], { detached: true, stdio: ["ignore", "pipe", "pipe"] });

let stopping = false;
let demo;
const appHost = start("dotnet", options.apphost);
// What it said last may still be on its way when it has ended; its pipe alone is no sign, since others may hold it open.
const appHostEnded = once(appHost, "exit").then(async ([code, signal]) => {
  await Promise.race([once(appHost, "close"), delay(500)]);
  return code ?? signal;
});
const ready = new Promise(resolve => {
  for (const stream of [appHost.stdout, appHost.stderr]) {
    createInterface({ input: stream }).on("line", line => {
      if (line.startsWith("ready {")) resolve(JSON.parse(line.slice("ready ".length)));
      else if (line.trim()) console.log(`  ${line}`);
    });
  }
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (stopping) return killAll();
    stopping = true;
    console.log("\nStopping everything (once more to force it) …");
    demo?.kill("SIGTERM");
    appHost.kill("SIGTERM");
    setTimeout(killAll, stopWithinMs).unref();
  });
}

// The orchestrator watches the AppHost and ends with it, so this takes the rest along.
function killAll() {
  try {
    process.kill(-appHost.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

// An AppHost on Aspire's own hosting packages says nothing when all is ready; its gateway's health does.
async function gatewayHealthy() {
  for (;;) {
    await delay(500);
    try {
      if ((await fetch(`${gateway}/health`)).ok) {
        await delay(1000);
        return { urls: {}, pids: {} };
      }
    } catch {
      // Not listening yet.
    }
  }
}

async function call(method, path, key, body) {
  const response = await fetch(gateway + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw Object.assign(new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`), { status: response.status });
  return response.json();
}

// One workspace with a secret and a publishable key, made at the first start and made anew when the gateway no longer knows them.
async function developmentKeys() {
  const file = join(options.data, "dev-keys.json");
  try {
    const known = JSON.parse(await readFile(file, "utf8"));
    await call("GET", "/v1/keys?pageSize=1", known.secretKey);
    return known;
  } catch (error) {
    if (error.code !== "ENOENT" && error.status !== 401 && error.status !== 403) throw error;
  }
  const workspace = await call("POST", "/v1/workspaces", adminKey, { displayName: "Development", timeZone: "UTC", currencyCode: "USD" });
  const services = ["capture", "scoring", "nurture", "conversion", "retention"];
  const scopes = [...services.flatMap(service => [`${service}:read`, `${service}:write`]), "metrics:read", "admin"];
  const key = (kind, scopes) =>
    call("POST", "/v1/keys", adminKey, { workspaceId: workspace.id, kind, scopes, displayName: `Development ${kind.toLowerCase()}` });
  const keys = {
    workspaceId: workspace.id,
    secretKey: (await key("SECRET", scopes)).key,
    publishableKey: (await key("PUBLISHABLE", [])).key,
  };
  await writeFile(file, JSON.stringify(keys, null, 2) + "\n", { mode: 0o600 });
  return keys;
}

// Proportional set size: what a process holds alone and its share of what it has in common with others, as all services have the framework.
async function megabytes(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  return Math.round(Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) / 1024);
}

async function banner({ urls, pids, dashboard }, keys) {
  const dashboardPage = dashboard ?? process.env.ASPNETCORE_URLS;
  const rows = [
    ["Gateway, REST", `${gateway}  (reference: ${gateway}/docs)`],
    ["Gateway, gRPC", gatewayGrpc],
    ["Dashboard", dashboardPage],
    ["Mail", urls.mail?.http],
    ["RabbitMQ", urls.rabbitmq?.management && `${urls.rabbitmq.management}  (lifecycle, ${process.env.Parameters__RabbitMqPassword})`],
    ["Workspace", keys?.workspaceId],
    ["Secret key", keys?.secretKey],
    ["Publishable key", keys?.publishableKey],
    ["Admin key", adminKey],
  ];
  console.log(`\nLifecycle is ready after ${elapsed()}.\n`);
  for (const [title, value] of rows) if (value) console.log(`  ${title.padEnd(16)} ${value}`);
  const memory = [];
  for (const [name, pid] of Object.entries(pids)) {
    const [, service] = /^(capture|scoring|nurture|conversion|retention|gateway)(?:-[a-z0-9]+)?$/.exec(name) ?? [];
    if (service) memory.push(`${service} ${await megabytes(pid)}`);
  }
  if (memory.length) console.log(`  ${"Memory, MB".padEnd(16)} ${memory.join(" · ")}`);
  console.log("\nCtrl+C stops everything.\n");
}

async function loadDemo() {
  console.log("Loading the demo company …");
  demo = start("dotnet", options.demo, "--gateway", gateway, "--key", adminKey);
  demo.stdout.pipe(process.stdout);
  demo.stderr.pipe(process.stderr);
  const [code] = await once(demo, "exit");
  if (!stopping) console.log(code === 0 ? `The demo company is loaded; ${elapsed()} since the start.` : `The demo company could not be loaded (exit code ${code}).`);
}

async function serve() {
  const summary = await Promise.race([ready, process.env.LIFECYCLE_READY_BY_HEALTH ? gatewayHealthy() : ready]);
  let keys;
  try {
    keys = await developmentKeys();
  } catch (error) {
    console.error(`The development keys could not be made: ${error.message}`);
  }
  await banner(summary, keys);
  if (options.demo) await loadDemo();
}

serve().catch(error => {
  if (!stopping) console.error(`up: ${error.message}`);
});
const code = await appHostEnded;
if (stopping) {
  console.log("Everything has stopped.");
} else {
  console.error(`up: the AppHost ended with ${code}; what it said last is above.`);
}
process.exit(stopping ? 0 : 1);
