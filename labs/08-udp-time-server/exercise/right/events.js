// other: node, which has no strftime
const sock = require("node:dgram").createSocket("udp4");
const two = (number) => String(number).padStart(2, "0");
const date = (now) => [now.getUTCFullYear(), two(now.getUTCMonth() + 1), two(now.getUTCDate())];
const time = (now) => [now.getUTCHours(), now.getUTCMinutes(), now.getUTCSeconds()].map(two).join(":");
const formats = new Map([
  ["%Y-%m-%d %H:%M:%S", (now) => date(now).join("-") + " " + time(now)],
  ["%Y %m %d", (now) => date(now).join(" ")],
  ["%Y年%m月%d日", (now) => { const [y, m, d] = date(now); return `${y}年${m}月${d}日`; }],
  ["%H:%M:%S", time],
]);
formats.set("", formats.get("%Y-%m-%d %H:%M:%S"));
const allowed = new Map([...formats].map(([text, tell]) => [Buffer.from(text).toString("hex"), tell]));
sock.on("message", (question, client) => {
  const tell = allowed.get(question.toString("hex"));
  sock.send(Buffer.from(tell ? tell(new Date()) : ""), client.port, client.address);
});
sock.bind(Number(process.env.PORT), process.env.HOST);
