import { eventually } from "./eventually.ts";
import { askRedis } from "./redis-ask.ts";
import type { ServerGroup, ServerNode } from "./server-group.ts";

/** What failures of single servers are provoked in: a primary of a cluster has one replica. */
const CLUSTER = { primaries: 3, slots: 16_384, nodeTimeoutMs: 1_500 };
const SENTINELS = 3;
const LOCAL = "127.0.0.1";

/** The name by which Sentinels know their primary. */
export const sentinelName = "latchkey";

/** Starts a Redis or Valkey that keeps nothing; `settings` are lines of redis.conf. */
export function addRedis(
  group: ServerGroup,
  binary: string,
  settings: readonly string[] = [],
): Promise<ServerNode> {
  return group.add({
    file: binary,
    mayBeRoot: true,
    args: ({ port, folder }) => {
      const own = [`port ${port}`, `bind ${LOCAL}`, `dir ${folder}`, "save ''", "appendonly no"];
      return lines([...own, "repl-diskless-sync-delay 0", ...settings]);
    },
    isReady: (log) => log.includes("Ready to accept connections"),
  });
}

/** Settings from the command line: `--port 1 --bind …`. */
function lines(settings: readonly string[]): string[] {
  return settings.flatMap((line) => {
    const [name = "", ...words] = line.split(" ");
    return [`--${name}`, ...words.map((word) => (word === "''" ? "" : word))];
  });
}

/** Starts three primaries, each with a replica that has its data; primaries come first. */
export async function addCluster(
  group: ServerGroup,
  binary: string,
  settings: readonly string[] = [],
): Promise<readonly ServerNode[]> {
  const all = ["cluster-enabled yes", `cluster-node-timeout ${CLUSTER.nodeTimeoutMs}`, ...settings];
  const count = 2 * CLUSTER.primaries;
  const nodes = await Promise.all(Array.from({ length: count }, () => addRedis(group, binary, all)));
  const [first, ...others] = nodes;
  const primaries = nodes.slice(0, CLUSTER.primaries);
  await Promise.all(nodes.map((node, epoch) => ask(node, "CLUSTER", "SET-CONFIG-EPOCH", `${epoch + 1}`)));
  await Promise.all(primaries.map((node, index) => ask(node, "CLUSTER", "ADDSLOTSRANGE", ...slotsOf(index))));
  await Promise.all(others.map((node) => ask(node, "CLUSTER", "MEET", LOCAL, `${first?.port}`)));
  await eventually(() => every(nodes, "INFO", (info) => info.includes(`cluster_known_nodes:${count}`)));
  await Promise.all(primaries.map((node, index) => follow(nodes[CLUSTER.primaries + index], node)));
  await eventually(() => isWhole(nodes));
  return nodes;
}

function slotsOf(index: number): [string, string] {
  const bound = (of: number): number => Math.floor((of * CLUSTER.slots) / CLUSTER.primaries);
  return [`${bound(index)}`, `${bound(index + 1) - 1}`];
}

async function follow(replica: ServerNode | undefined, primary: ServerNode): Promise<void> {
  if (replica === undefined) return;
  const id = (await ask(primary, "CLUSTER", "MYID")).trim();
  // Refused until the news of the primary has reached the replica.
  await eventually(async () => (await ask(replica, "CLUSTER", "REPLICATE", id)) === "OK");
}

/** A primary that dies before its replica has its data is never replaced: neither client comes back. */
async function isWhole(nodes: readonly ServerNode[]): Promise<boolean> {
  const replication = await Promise.all(nodes.map((node) => ask(node, "INFO", "replication")));
  if (replication.filter((info) => info.includes("master_link_status:up")).length !== CLUSTER.primaries) {
    return false;
  }
  // Everybody knows of every replica, and not only it itself: the survivors elect the one that they know.
  const knowsReplicas = await every(nodes, "NODES", (table) => {
    return table.split("\n").filter((line) => / (myself,)?slave /.test(line)).length === CLUSTER.primaries;
  });
  return knowsReplicas && every(nodes, "INFO", (info) => info.includes("cluster_state:ok"));
}

async function every(
  nodes: readonly ServerNode[],
  question: "INFO" | "NODES",
  holds: (answer: string) => boolean,
): Promise<boolean> {
  return (await Promise.all(nodes.map((node) => ask(node, "CLUSTER", question)))).every(holds);
}

/** Servers of a Sentinel set. */
export interface SentinelNodes {
  readonly primary: ServerNode;
  readonly replicas: readonly ServerNode[];
  readonly sentinels: readonly ServerNode[];
}

/** Starts a primary, two replicas that have its data, and three Sentinels that know all of them. */
export async function addSentinels(
  group: ServerGroup,
  binary: string,
  settings: readonly string[] = [],
): Promise<SentinelNodes> {
  const primary = await addRedis(group, binary, settings);
  const replica = () => addRedis(group, binary, [...settings, `replicaof ${LOCAL} ${primary.port}`]);
  const replicas = await Promise.all([replica(), replica()]);
  await eventually(async () => {
    const links = await Promise.all(replicas.map((node) => ask(node, "INFO", "replication")));
    return links.every((info) => info.includes("master_link_status:up"));
  });
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => addSentinel(group, binary, primary.port)),
  );
  await eventually(async () => {
    const views = await Promise.all(sentinels.map((node) => ask(node, "INFO", "sentinel")));
    return views.every((view) =>
      view.includes(`status=ok,address=${LOCAL}:${primary.port},slaves=2,sentinels=3`),
    );
  });
  return { primary, replicas, sentinels };
}

/** A Sentinel rewrites its own file of settings, and so wants one. */
function addSentinel(group: ServerGroup, binary: string, primaryPort: number): Promise<ServerNode> {
  return group.add({
    file: binary,
    mayBeRoot: true,
    args: ({ folder }) => [`${folder}/sentinel.conf`, "--sentinel"],
    files: ({ port, folder }) => ({
      "sentinel.conf": [
        `port ${port}`,
        `bind ${LOCAL}`,
        `dir ${folder}`,
        `sentinel monitor ${sentinelName} ${LOCAL} ${primaryPort} 2`,
        `sentinel down-after-milliseconds ${sentinelName} 800`,
        `sentinel failover-timeout ${sentinelName} 4000`,
      ].join("\n"),
    }),
    isReady: (log) => log.includes("+monitor master"),
  });
}

function ask(node: ServerNode, ...words: readonly string[]): Promise<string> {
  return askRedis(node.port, ...words);
}
