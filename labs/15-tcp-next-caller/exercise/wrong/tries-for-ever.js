// wrong: whatever goes wrong, another try is expected to mend it
// fails: port-taken
// shows: in poll, what "does not end"
const net = require("node:net");

const server = net.createServer((conn) => {
  const capital = (byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte);
  conn.on("data", (data) => conn.write(Buffer.from(data.map(capital))));
  conn.on("error", () => conn.destroy());
});
const listen = () => server.listen(Number(process.env.PORT), process.env.HOST);
server.on("error", () => setTimeout(listen, 500));
listen();
