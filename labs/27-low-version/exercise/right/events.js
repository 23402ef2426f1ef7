// other: node, with events
const net = require("node:net");
const commands = require("node:fs").readFileSync(0, "utf8").split("\n").filter((line) => line !== "");
const conn = net.connect(Number(process.env.PORT), process.env.HOST);
let came = Buffer.alloc(0);
let missing = -1;

function give_up(why) {
  console.error(why);
  process.exit(3);
}

function next() {
  missing = -1;
  if (commands.length === 0) return conn.end();
  conn.write(commands.shift() + "\n");
}

function look() {
  while (true) {
    if (missing < 0) {
      const end = came.indexOf("\n");
      if (end < 0) return;
      const text = came.subarray(0, end).toString("latin1");
      if (!/^[0-9]{1,7}$/.test(text) || Number(text) > 1048576) give_up("no length: " + text);
      missing = Number(text);
      came = came.subarray(end + 1);
      conn.write("recv_ready\n");
    }
    if (came.length < missing) return;
    process.stdout.write(came.subarray(0, missing));
    came = came.subarray(missing);
    next();
  }
}

conn.on("connect", next);
conn.on("data", (piece) => { came = Buffer.concat([came, piece]); look(); });
conn.on("error", (error) => give_up(error.message));
conn.on("end", () => { if (missing >= 0 || !conn.writableEnded) give_up("the server has gone"); });
