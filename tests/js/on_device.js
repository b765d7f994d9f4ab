// For tests/test_device_arithmetic.py: reads cases as JSON, and prints what the worker's modules make of them.
import { readFileSync } from "node:fs";
import { areaRead, heatOf } from "../../foodvision/page/static/device/heat.js";
import { unpackModel } from "../../foodvision/page/static/device/model.js";
import { predictionOf, softmax } from "../../foodvision/page/static/device/prediction.js";
import { prepare, toTensor } from "../../foodvision/page/static/device/steps.js";

const { photos, answers, heats, packed } = JSON.parse(readFileSync(0, "utf8"));
const base64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");

function prepared({ rgb, width, height, steps, mean, std }) {
  const picture = prepare({ data: new Uint8Array(Buffer.from(rgb, "base64")), width, height }, steps);
  return {
    size: [picture.width, picture.height],
    pixels: base64(picture.data),
    tensor: base64(toTensor(picture, { mean, std })),
    area: areaRead([width, height], steps),
  };
}

process.stdout.write(
  JSON.stringify({
    photos: photos.map(prepared),
    answers: answers.map(({ logits, model }) => predictionOf(softmax(logits), model, 0)),
    heats: heats.map(({ classes, logits, maps }) => heatOf(classes, softmax(logits), maps)),
    weights: base64(unpackModel(new Uint8Array(Buffer.from(packed, "base64"))).weights),
  }),
);
