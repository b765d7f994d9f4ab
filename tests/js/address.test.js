import assert from "node:assert/strict";
import { test } from "node:test";
import { publicAddress } from "../../foodvision/page/static/address.js";

const PUBLIC = [
  "https://someone-foodvision.hf.space/",
  "https://foodvision-abc-uc.a.run.app/",
  "http://food.example.org:8866/voila/render/foodvision.ipynb",
  "https://8.8.8.8/",
  "https://[2606:4700::1111]/",
  "https://172.32.0.1/",
  "https://localhost.example.org/",
];
const PRIVATE = [
  "http://localhost:8866/",
  "http://food.localhost/",
  "http://127.0.0.1:8866/",
  "http://0.0.0.0:8866/",
  "http://[::1]:8866/",
  "http://10.1.2.3/",
  "http://172.16.0.1/",
  "http://172.31.255.1/",
  "http://192.168.178.20:8866/",
  "http://169.254.1.1/",
  "http://100.64.0.1/",
  "http://[fd12:3456::1]/",
  "http://[fe80::1]/",
  "http://[::ffff:192.168.0.1]/",
  "http://laptop:8866/",
  "http://laptop.local/",
  "http://fritz.box.lan/",
  "http://app.namespace.svc.cluster.local/",
  "http://app.corp.internal./",
  "https://hub.example.org/user/someone/voila/render/foodvision.ipynb",
  "https://food.example.org/?token=secret",
  "file:///home/someone/page.html",
  "data:text/html,page",
];

test("a public page is shared under its own address", () => {
  for (const address of PUBLIC) assert.equal(publicAddress(new URL(address)), address);
});

test("a page that others cannot open is not shared", () => {
  for (const address of PRIVATE) assert.equal(publicAddress(new URL(address)), "", address);
});

test("query and fragment are never shared", () => {
  assert.equal(
    publicAddress(new URL("https://me:pass@food.example.org/app?session=1#here")),
    "https://food.example.org/app",
  );
});
