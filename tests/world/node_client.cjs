// Node.js' own multipart, a sized and a chunked body, one agent whose connection is kept, JSON, Expect: 100-continue.
const http = require("node:http");
const base = process.argv[2];
const auth = "Basic " + Buffer.from("demo:demo-password").toString("base64");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const row = (number, smsid) => [number, ...Array(8).fill(""), "こんにちは", ...Array(7).fill(""), smsid, ...Array(46).fill("")].join(",");

function ask(path, method, headers, pieces) {
  return new Promise((resolve, reject) => {
    const request = http.request(base + path, { method, agent, headers: { authorization: auth, ...headers } }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (piece) => (text += piece));
      answer.on("end", () => resolve([request.reusedSocket, answer.statusCode, text]));
    });
    request.on("error", reject);
    const send = () => { for (const piece of pieces) request.write(piece); request.end(); };
    if (headers.expect) request.on("continue", send); else send();
  });
}

(async () => {
  const form = new FormData();
  form.append("file", new Blob([row("09011112222", "n1") + "\r\n"]), "日本語.csv");
  const own = await fetch(base + "/api3/?smstexttype=csv", { method: "POST", body: form, headers: { authorization: auth } });
  const found = { fetched: await own.text() };
  const multipart = new Response(form);
  const body = Buffer.from(await multipart.arrayBuffer());
  const type = { "content-type": multipart.headers.get("content-type") };
  found.chunked = await ask("/api3/?smstexttype=csv", "POST", type, [body.subarray(0, 10), body.subarray(10)]);
  found.sized = await ask("/api3/?smstexttype=csv", "POST", { ...type, "content-length": body.length }, [body]);
  found.expected = await ask("/api3/?smstexttype=csv", "POST", { ...type, "content-length": body.length, expect: "100-continue" }, [body]);
  const message = { mobilenumber: "09011112222", smstext: "こんにちは", status: "1", smsid: "n2" };
  found.form = await ask("/api/", "POST", { "Content-Type": "application/x-www-form-urlencoded" }, [new URLSearchParams(message).toString()]);
  const asked = await fetch(base + "/api/", { method: "POST", headers: { authorization: auth, "content-type": "application/json" }, body: JSON.stringify({ ...message, smsid: "n3" }) });
  found.json = await asked.json();
  found.got = await ask("/api/?" + new URLSearchParams({ ...message, smsid: "n4" }), "GET", {}, []);
  found.result = await ask("/api5/?smsid=n2", "GET", {}, []);
  agent.destroy();
  console.log(JSON.stringify(found));
})();
