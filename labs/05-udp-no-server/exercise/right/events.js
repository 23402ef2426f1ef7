// other: node; all input is read first, and events wake a promise
const dgram = require("node:dgram");
const lines = require("node:fs").readFileSync(0, "utf8").split("\n").slice(0, -1);
const sock = dgram.createSocket("udp4");
let settle = () => {};
sock.on("message", (data) => settle(data.toString()));
sock.on("error", () => settle(null));

const ask = (line) =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), 500);
    settle = (what) => { clearTimeout(timer); resolve(what); };
    sock.send(line, (error) => error && settle(null));
  });

sock.connect(Number(process.env.PORT), process.env.HOST, async () => {
  process.exitCode = 0;
  for (const line of lines) {
    const answer = await ask(line);
    if (answer === null) {
      console.log("nobody there");
      process.exitCode = 1;
      break;
    }
    if (answer === undefined) process.exitCode = 2;
    console.log(answer ?? "no answer");
  }
  sock.close();
});
