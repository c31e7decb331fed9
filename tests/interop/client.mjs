// What is run with zeromq.js: each socket type once. Prints what came of it as JSON.

import * as zmq from "zeromq";
import { setTimeout as sleep } from "node:timers/promises";

const COUNT = 100;
const { env } = process;

function open(kind, port) {
  const options = { linger: 10_000 };
  if (kind !== zmq.Publisher && kind !== zmq.Push) options.receiveTimeout = 20_000;
  if (env.SERVER_KEY) {
    options.curveServerKey = env.SERVER_KEY;
    options.curvePublicKey = env.PUBLIC_KEY;
    options.curveSecretKey = env.SECRET_KEY;
  }
  const socket = new kind(options);
  if (kind === zmq.Subscriber) socket.subscribe("");
  socket.connect(`tcp://127.0.0.1:${env[port]}`);
  return socket;
}

async function publish(name) {
  const socket = open({ PUB: zmq.Publisher, PUSH: zmq.Push }[name], "PUB_PORT");
  if (name === "PUB") await sleep(1000);
  for (let number = 0; number < COUNT; number += 1) {
    await socket.send([name, `{"message_id": "${name}-${number}"}`]);
  }
  // Closing lets what is unsent leave, as long as the program runs.
  await sleep(500);
  socket.close();
}

async function receive(expected) {
  const socket = open(zmq.Subscriber, "SUB_PORT");
  let count = 0;
  try {
    while (count < expected) {
      await socket.receive();
      count += 1;
    }
  } catch {
    // The time was up.
  }
  socket.close();
  return count;
}

async function ask(kind) {
  const socket = open(kind, "CONTROL_PORT");
  await socket.send('{"op": "hello", "id": 1, "protocol": 1}');
  const [reply] = await socket.receive();
  socket.close();
  return JSON.parse(reply.toString()).type;
}

const publishers = env.PUBLISHERS.split(" ");
for (const name of publishers) await publish(name);
const result = { SUB: await receive(COUNT * publishers.length) };
result.DEALER = await ask(zmq.Dealer);
result.REQ = await ask(zmq.Request);
console.log(JSON.stringify({ version: `libzmq ${zmq.version}`, result }));
process.exit(0);
